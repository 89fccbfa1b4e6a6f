#include "gpu/run/host/stream.h"

#include <algorithm>
#include <fstream>
#include <string>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace gpu {
namespace {

constexpr std::uint64_t usual_cache = std::uint64_t{32} << 20;

// As the kernel tells it: the C library guesses, and on virtual machines many times too high.
std::uint64_t largest_cache() {
    std::uint64_t bytes = 0;
    for (int index = 0; index < 8; ++index) {
        std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/size");
        std::uint64_t size = 0;
        char unit = 0;
        if (!(file >> size)) break;
        file >> unit;
        bytes = std::max(bytes, size << (unit == 'M' ? 20 : unit == 'K' ? 10 : 0));
    }
    return bytes ? bytes : usual_cache;
}

}  // namespace

std::uint64_t& last_cache_bytes() {
    static std::uint64_t bytes = largest_cache();
    return bytes;
}

bool exceeds_caches(std::uint64_t bytes) { return bytes > last_cache_bytes(); }

#ifdef __SSE2__

void stream(const float* from, std::int64_t count, float* to) {
    std::int64_t i = 0;
    for (; i < count && reinterpret_cast<std::uintptr_t>(to + i) % 16 != 0; ++i) to[i] = from[i];
    for (; i + 4 <= count; i += 4) _mm_stream_ps(to + i, _mm_loadu_ps(from + i));
    for (; i < count; ++i) to[i] = from[i];
}

void finish_streams() { _mm_sfence(); }

#else

void stream(const float* from, std::int64_t count, float* to) { std::copy_n(from, count, to); }
void finish_streams() {}

#endif

}  // namespace gpu
