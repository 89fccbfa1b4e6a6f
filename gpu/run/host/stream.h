// Stores that go past the caches. What is stored as usual is first fetched from memory, to be written over there: a third of the traffic of an
// addition. A result that caches can not hold until it is read needs none of that.
#pragma once

#include <cstdint>

namespace gpu {

// What the processor's last cache holds, as the system tells. Tests assume other sizes.
std::uint64_t& last_cache_bytes();

// Whether so many bytes, read and written by one step, are more than that.
bool exceeds_caches(std::uint64_t bytes);

// Whether stream() differs from a copy here.
#ifdef __SSE2__
inline constexpr bool has_streams = true;
#else
inline constexpr bool has_streams = false;
#endif

// Copies `count` floats from where they were just computed.
void stream(const float* from, std::int64_t count, float* to);

// To be called by a thread that has streamed before others read it.
void finish_streams();

}  // namespace gpu
