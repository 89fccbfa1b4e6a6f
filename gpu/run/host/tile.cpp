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

const TileKernels& tile_kernels(int lanes) {
#if defined(__x86_64__)
    if (lanes == 16) return tile_avx512::kernels;
    if (lanes == 8) return tile_avx2::kernels;
#endif
    return tile_plain::kernels;
}

const TileKernels& tile_kernels() {
    static const TileKernels& best = tile_kernels(vector_lanes());
    return best;
}

}  // namespace gpu
