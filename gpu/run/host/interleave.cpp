#include "gpu/run/host/interleave.h"

namespace gpu {
namespace {

using Quad [[gnu::vector_size(16), gnu::aligned(4), gnu::may_alias]] = float;   // the widest vectors that every processor has

Quad load(const float* from) { return *reinterpret_cast<const Quad*>(from); }
template <bool accumulate>
void store(float* to, Quad value) {
    Quad& target = *reinterpret_cast<Quad*>(to);
    target = accumulate ? target + value : value;
}

// Four planes of four numbers.
template <bool accumulate>
void transpose(const float* planes, std::int64_t pitch, float* to, std::int64_t step) {
    const Quad a = load(planes), b = load(planes + pitch), c = load(planes + 2 * pitch), d = load(planes + 3 * pitch);
    const Quad ac_low = __builtin_shufflevector(a, c, 0, 4, 1, 5), ac_high = __builtin_shufflevector(a, c, 2, 6, 3, 7);
    const Quad bd_low = __builtin_shufflevector(b, d, 0, 4, 1, 5), bd_high = __builtin_shufflevector(b, d, 2, 6, 3, 7);
    store<accumulate>(to, __builtin_shufflevector(ac_low, bd_low, 0, 4, 1, 5));
    store<accumulate>(to + step, __builtin_shufflevector(ac_low, bd_low, 2, 6, 3, 7));
    store<accumulate>(to + 2 * step, __builtin_shufflevector(ac_high, bd_high, 0, 4, 1, 5));
    store<accumulate>(to + 3 * step, __builtin_shufflevector(ac_high, bd_high, 2, 6, 3, 7));
}

template <bool accumulate>
void run(const float* planes, std::int64_t pitch, std::int64_t plane_count, std::int64_t count, float* to, std::int64_t step) {
    const auto one_by_one = [&](std::int64_t c, std::int64_t last, std::int64_t from_plane) {
        for (; c < last; ++c)
            for (std::int64_t p = from_plane; p < plane_count; ++p) {
                float& target = to[c * step + p];
                target = accumulate ? target + planes[p * pitch + c] : planes[p * pitch + c];
            }
    };
    std::int64_t c = 0;
    for (; c + 4 <= count; c += 4) {
        std::int64_t p = 0;
        for (; p + 4 <= plane_count; p += 4) transpose<accumulate>(planes + p * pitch + c, pitch, to + c * step + p, step);
        one_by_one(c, c + 4, p);
    }
    one_by_one(c, count, 0);
}

}  // namespace

void interleave(const float* planes, std::int64_t pitch, std::int64_t plane_count, std::int64_t count, float* to, std::int64_t step, bool accumulate) {
    accumulate ? run<true>(planes, pitch, plane_count, count, to, step) : run<false>(planes, pitch, plane_count, count, to, step);
}

}  // namespace gpu
