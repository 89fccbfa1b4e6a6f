#include "gpu/ops/lines.h"

#include "gpu/base/error.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"

namespace gpu {

int line_axis(std::string_view function, const Tensor& x, int axis) {
    const int at = axis < 0 ? axis + x.rank() : axis;
    check(at >= 0 && at < x.rank(), ErrorCode::InvalidGraph, "{}: expected an axis of {}, got {}", function, shown(x.spec()), axis);
    return at;
}

Tensor as_lines(const Tensor& x, int axis) {
    const auto middle = x.shape().begin() + axis;
    return reshape(x, {element_count({x.shape().begin(), middle}), *middle, element_count({middle + 1, x.shape().end()})});
}

Tensor from_lines(const Tensor& lines, Shape shape, int axis) {
    shape[axis] = lines.size(1);
    return reshape(lines, shape);
}

const char* sum_type(Dtype dtype) { return dtype == Dtype::I32 ? "int" : "float"; }

}  // namespace gpu
