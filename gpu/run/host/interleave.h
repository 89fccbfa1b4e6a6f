// Planes to neighbours, in other words a transpose: how the taps of a weight's gradient, each computed as a plane of its own, come to lie side by
// side, and rows of keys as columns.
#pragma once

#include <cstdint>

namespace gpu {

// to[c * step + p] = planes[p * pitch + c] for c < count, p < plane_count, or adds it to what is there. step >= plane_count.
void interleave(const float* planes, std::int64_t pitch, std::int64_t plane_count, std::int64_t count, float* to, std::int64_t step, bool accumulate);

}  // namespace gpu
