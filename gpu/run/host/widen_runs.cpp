// Runs of elements between F32 and the 16-bit types, with the processor's own conversions where it has them.
#include <bit>
#include <cstring>

#include "gpu/base/error.h"
#include "gpu/base/vectors.h"
#include "gpu/run/host/widen.h"

#if defined(__x86_64__)
#define HEDDLE_F16C __attribute__((target("avx2,f16c")))
#endif

namespace gpu {
namespace {

#if defined(__x86_64__)

__m128i load_words(const std::byte* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }
void store_words(std::byte* at, __m128i words) { _mm_storeu_si128(reinterpret_cast<__m128i*>(at), words); }

// Eight at a time; returns how many were done.
HEDDLE_F16C std::size_t widen_eights(Dtype from, const std::byte* source, float* target, std::size_t count) {
    std::size_t i = 0;
    if (from == Dtype::F16) {
        for (; i + 8 <= count; i += 8) _mm256_storeu_ps(target + i, _mm256_cvtph_ps(load_words(source + 2 * i)));
    } else {
        for (; i + 8 <= count; i += 8)
            _mm256_storeu_ps(target + i, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_words(source + 2 * i)), 16)));
    }
    return i;
}

HEDDLE_F16C std::size_t narrow_eights(Dtype to, const float* source, std::byte* target, std::size_t count) {
    std::size_t i = 0;
    if (to != Dtype::F16) return 0;
    for (; i + 8 <= count; i += 8)
        store_words(target + 2 * i, _mm256_cvtps_ph(_mm256_loadu_ps(source + i), _MM_FROUND_TO_NEAREST_INT));
    return i;
}

#else

std::size_t widen_eights(Dtype, const std::byte*, float*, std::size_t) { return 0; }
std::size_t narrow_eights(Dtype, const float*, std::byte*, std::size_t) { return 0; }

#endif

}  // namespace

void widen(Dtype from, const std::byte* source, float* target, std::size_t count) {
    check(from == Dtype::F32 || from == Dtype::F16 || from == Dtype::BF16, ErrorCode::Failure,
          "host kernel: expected F32, F16 or BF16, got {}", name_of(from));
    if (from == Dtype::F32) {
        std::memcpy(target, source, count * sizeof(float));
        return;
    }
    for (std::size_t i = vector_lanes() >= 8 ? widen_eights(from, source, target, count) : 0; i < count; ++i) {
        std::uint16_t bits = 0;
        std::memcpy(&bits, source + 2 * i, 2);
        target[i] = from == Dtype::F16 ? f16_to_float(bits) : bf16_to_float(bits);
    }
}

void narrow(Dtype to, const float* source, std::byte* target, std::size_t count) {
    check(to == Dtype::F32 || to == Dtype::F16 || to == Dtype::BF16, ErrorCode::Failure,
          "host kernel: expected F32, F16 or BF16, got {}", name_of(to));
    if (to == Dtype::F32) {
        std::memcpy(target, source, count * sizeof(float));
        return;
    }
    for (std::size_t i = vector_lanes() >= 8 ? narrow_eights(to, source, target, count) : 0; i < count; ++i) {
        const std::uint16_t bits = to == Dtype::F16 ? float_to_f16(source[i]) : float_to_bf16(source[i]);
        std::memcpy(target + 2 * i, &bits, 2);
    }
}

}  // namespace gpu
