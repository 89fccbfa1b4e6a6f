#include "gpu/run/host/tile.h"

#include "gpu/base/vectors.h"

#define TILE tile_plain
#define TILE_ROWS 4
#define VECTOR_LANES 4
#define VECTOR_TARGET VECTOR_TARGET_PLAIN
#include "gpu/run/host/tile.inl"

#if defined(__x86_64__)
#define TILE tile_avx2
#define TILE_ROWS 4
#define VECTOR_LANES 8
#define VECTOR_TARGET VECTOR_TARGET_AVX2
#include "gpu/run/host/tile.inl"

#define TILE tile_avx512
#define TILE_ROWS 8
#define VECTOR_LANES 16
#define VECTOR_TARGET VECTOR_TARGET_AVX512
#include "gpu/run/host/tile.inl"
#endif

namespace gpu {

const TileKernels& tile_kernels() {
#if defined(__x86_64__)
    static const TileKernels& best = vector_lanes() == 16 ? tile_avx512::kernels : vector_lanes() == 8 ? tile_avx2::kernels : tile_plain::kernels;
    return best;
#else
    return tile_plain::kernels;
#endif
}

}  // namespace gpu
