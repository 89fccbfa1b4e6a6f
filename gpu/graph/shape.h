// Shapes: extents from the slowest to the fastest axis. An empty shape is a scalar.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gpu {

using Shape = std::vector<std::int64_t>;

// The product of the extents: 1 for a scalar, 0 when an axis is empty.
// Throws InvalidGraph when an extent is negative or the product of the non-zero extents does not fit 63 bits.
std::int64_t element_count(const Shape& shape);

// "[1, 3, 256, 256]", "[]".
std::string to_string(const Shape& shape);

}  // namespace gpu
