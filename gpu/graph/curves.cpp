#include "gpu/graph/curves.h"

#include "gpu/base/vectors.h"

#define CURVES curves_plain
#define VECTOR_LANES 4
#define VECTOR_TARGET VECTOR_TARGET_PLAIN
#include "gpu/graph/curves.inl"

#if defined(__x86_64__)
#define CURVES curves_avx2
#define VECTOR_LANES 8
#define VECTOR_TARGET VECTOR_TARGET_AVX2
#include "gpu/graph/curves.inl"

#define CURVES curves_avx512
#define VECTOR_LANES 16
#define VECTOR_TARGET VECTOR_TARGET_AVX512
#include "gpu/graph/curves.inl"
#endif

namespace gpu {

const Curves& curves_of([[maybe_unused]] int lanes) {
#if defined(__x86_64__)
    if (lanes == 16) return curves_avx512::all;
    if (lanes == 8) return curves_avx2::all;
#endif
    return curves_plain::all;
}

const Curves& curves() {
    static const Curves& best = curves_of(vector_lanes());
    return best;
}

}  // namespace gpu
