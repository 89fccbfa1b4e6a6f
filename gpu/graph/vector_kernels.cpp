#include "gpu/graph/vector_kernels.h"

#include "gpu/base/vectors.h"

#define KERNELS kernels_plain
#define VECTOR_LANES 4
#define VECTOR_TARGET VECTOR_TARGET_PLAIN
#include "gpu/graph/vector_kernels.inl"

#if defined(__x86_64__)
#define KERNELS kernels_avx2
#define VECTOR_LANES 8
#define VECTOR_TARGET VECTOR_TARGET_AVX2
#include "gpu/graph/vector_kernels.inl"

#define KERNELS kernels_avx512
#define VECTOR_LANES 16
#define VECTOR_TARGET VECTOR_TARGET_AVX512
#include "gpu/graph/vector_kernels.inl"
#endif

namespace gpu {

const VectorKernels& vector_kernels_of([[maybe_unused]] int lanes) {
#if defined(__x86_64__)
    if (lanes == 16) return kernels_avx512::all;
    if (lanes == 8) return kernels_avx2::all;
#endif
    return kernels_plain::all;
}

const VectorKernels& vector_kernels() {
    static const VectorKernels& best = vector_kernels_of(vector_lanes());
    return best;
}

}  // namespace gpu
