// Philox4x32-10, a counter-based random generator (Salmon et al., SC 2011): any block of four words can be computed on its
// own, so results do not depend on the order or the number of threads.
#pragma once

#include <array>
#include <cstdint>

namespace gpu {

using PhiloxCounter = std::array<std::uint32_t, 4>;

// Ten rounds; `key` is the seed.
constexpr PhiloxCounter philox(PhiloxCounter counter, std::uint64_t key) {
    std::uint32_t low = static_cast<std::uint32_t>(key), high = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t first = std::uint64_t{counter[0]} * 0xD2511F53u;
        const std::uint64_t second = std::uint64_t{counter[2]} * 0xCD9E8D57u;
        counter = {static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ low, static_cast<std::uint32_t>(second),
                   static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ high, static_cast<std::uint32_t>(first)};
        low += 0x9E3779B9u;
        high += 0xBB67AE85u;
    }
    return counter;
}

}  // namespace gpu
