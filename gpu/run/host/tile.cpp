#include "gpu/run/host/tile.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__clang__)
#define TILE_OPTIMISED
#else
#define TILE_OPTIMISED optimize("O3"),   // debug builds compute too
#endif

#define TILE tile_plain
#define TILE_LANES 4
#define TILE_ROWS 4
#define TILE_TARGET __attribute__((TILE_OPTIMISED unused))
#include "gpu/run/host/tile.inl"

#if defined(__x86_64__)
#define TILE tile_avx2
#define TILE_LANES 8
#define TILE_ROWS 4
#define TILE_TARGET __attribute__((TILE_OPTIMISED target("avx2,fma,f16c")))
#include "gpu/run/host/tile.inl"

#define TILE tile_avx512
#define TILE_LANES 16
#define TILE_ROWS 8
#define TILE_TARGET __attribute__((TILE_OPTIMISED target("avx512f,avx512dq,avx512vl,avx512bw,fma")))
#include "gpu/run/host/tile.inl"
#endif

namespace gpu {

const TileKernels& tile_kernels() {
#if defined(__x86_64__)
    static const TileKernels& best = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                                             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")
                                         ? tile_avx512::kernels
                                     : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c")
                                         ? tile_avx2::kernels
                                         : tile_plain::kernels;
    return best;
#else
    return tile_plain::kernels;
#endif
}

}  // namespace gpu
