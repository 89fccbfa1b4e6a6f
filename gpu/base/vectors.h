// Code written once for vectors of 16, 8 and 4 floats (AVX-512, AVX2, what every processor has), of which programs pick what the processor takes:
// a file includes its body once for each kind, as gpu/graph/vector_kernels.cpp does.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__clang__)
#define VECTOR_OPTIMISED
#else
#define VECTOR_OPTIMISED optimize("O3"),   // debug builds compute too
#endif

#define VECTOR_TARGET_PLAIN __attribute__((VECTOR_OPTIMISED unused))
#define VECTOR_TARGET_AVX2 __attribute__((VECTOR_OPTIMISED target("avx2,fma,f16c")))
#define VECTOR_TARGET_AVX512 __attribute__((VECTOR_OPTIMISED target("avx512f,avx512dq,avx512vl,avx512bw,fma")))

namespace gpu {

// Floats of the widest vectors that the processor has.
inline int vector_lanes() {
#if defined(__x86_64__)
    static const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                               __builtin_cpu_supports("avx512bw");
    // Clang 14 can not ask for F16C, but AVX2 never came without.
    static const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    static const int lanes = avx512 ? 16 : avx2 ? 8 : 4;
    return lanes;
#else
    return 4;
#endif
}

}  // namespace gpu
