#include "gpu/base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace gpu {

std::string Hash::hex() const {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text(32, '0');
    for (int i = 0; i < 16; ++i) {
        text[15 - i] = digits[(high >> (4 * i)) & 15];
        text[31 - i] = digits[(low >> (4 * i)) & 15];
    }
    return text;
}

Hash hash_bytes(std::span<const std::byte> bytes) {
    const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
    return {hash.high64, hash.low64};
}

Hash hash_text(std::string_view text) { return hash_bytes(std::as_bytes(std::span(text))); }

}  // namespace gpu
