#include "gpu/graph/shape.h"

#include "gpu/base/error.h"

namespace gpu {

std::int64_t element_count(const Shape& shape) {
    std::int64_t count = 1;
    bool empty = false;
    for (const std::int64_t extent : shape) {
        // No check(): its text would be made every time, and every evaluation asks this of every tensor.
        if (extent < 0) throw Error(ErrorCode::InvalidGraph, "shape: expected extents of at least 0, got {}", to_string(shape));
        if (extent == 0) empty = true;
        // Zero extents are left out, so that strides computed from the others can not overflow either.
        else if (__builtin_mul_overflow(count, extent, &count))
            throw Error(ErrorCode::InvalidGraph, "shape: expected fewer than 2^63 elements, got {}", to_string(shape));
    }
    return empty ? 0 : count;
}

std::string to_string(const Shape& shape) {
    std::string text = "[";
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        if (axis) text += ", ";
        text += std::to_string(shape[axis]);
    }
    return text + "]";
}

}  // namespace gpu
