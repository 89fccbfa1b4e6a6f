// Division that rounds up: how many parts of b cover a.
#pragma once

#include <cstdint>

namespace gpu {

// For a >= 0 and b > 0.
constexpr std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace gpu
