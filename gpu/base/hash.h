// 128-bit content hashes (XXH3) for structural equality, cache keys and file names. Not for security.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace gpu {

struct Hash {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    friend bool operator==(const Hash&, const Hash&) = default;
    friend auto operator<=>(const Hash&, const Hash&) = default;

    std::string hex() const;   // 32 lower-case digits
};

Hash hash_bytes(std::span<const std::byte> bytes);
Hash hash_text(std::string_view text);

// Collects fields and hashes them in order. Strings carry their length, so that ("ab", "c") differs from ("a", "bc").
class Hasher {
public:
    template <typename T>
        requires(std::is_arithmetic_v<T> || std::is_enum_v<T>)
    Hasher& add(T value) {
        append(&value, sizeof value);
        return *this;
    }
    Hasher& add(std::string_view text) {
        add(text.size());
        append(text.data(), text.size());
        return *this;
    }
    Hasher& add(const char* text) { return add(std::string_view(text)); }
    Hasher& add(const std::string& text) { return add(std::string_view(text)); }
    Hasher& add(const Hash& hash) { return add(hash.high).add(hash.low); }

    Hash finish() const { return hash_text(buffer_); }

private:
    void append(const void* data, std::size_t size) { buffer_.append(static_cast<const char*>(data), size); }

    std::string buffer_;
};

}  // namespace gpu

template <>
struct std::hash<gpu::Hash> {
    std::size_t operator()(const gpu::Hash& hash) const noexcept { return hash.low; }
};
