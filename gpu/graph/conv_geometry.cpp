#include "gpu/graph/conv_geometry.h"

namespace gpu {

std::int64_t ConvGeometry::output(std::size_t axis, std::int64_t input, std::int64_t kernel) const {
    const std::int64_t room = input + before[axis] + after[axis] - dilation[axis] * (kernel - 1) - 1;
    return room < 0 || stride[axis] < 1 ? 0 : room / stride[axis] + 1;
}

Attrs ConvGeometry::attrs() const {
    return {{"stride", stride}, {"before", before}, {"after", after}, {"dilation", dilation}, {"groups", groups}};
}

std::vector<std::int64_t> ConvGeometry::params() const {
    std::vector<std::int64_t> params{groups};
    for (const Shape* list : {&stride, &before, &after, &dilation}) params.insert(params.end(), list->begin(), list->end());
    return params;
}

ConvGeometry ConvGeometry::from_params(const std::vector<std::int64_t>& params) {
    const std::size_t rank = (params.size() - 1) / 4;
    const auto list = [&](std::size_t i) {
        const auto first = params.begin() + 1 + static_cast<std::ptrdiff_t>(i * rank);
        return Shape(first, first + static_cast<std::ptrdiff_t>(rank));
    };
    return {list(0), list(1), list(2), list(3), params[0]};
}

Shape spatial(const Shape& shape) { return Shape(shape.begin() + 2, shape.end()); }

}  // namespace gpu
