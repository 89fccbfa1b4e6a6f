// Collects fields to be hashed as Hasher does, for few and short ones: they gather in place, and only what exceeds that takes
// memory. May be hashed in between, to get the hash of a beginning and of the whole.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "gpu/base/hash.h"

namespace gpu {

class FieldBuffer {
public:
    FieldBuffer() = default;
    FieldBuffer(const FieldBuffer&) = delete;
    FieldBuffer& operator=(const FieldBuffer&) = delete;

    template <typename T>
        requires(std::is_arithmetic_v<T> || std::is_enum_v<T>)
    FieldBuffer& add(T value) {
        append(&value, sizeof value);
        return *this;
    }
    FieldBuffer& add(std::string_view text) {
        add(text.size());
        append(text.data(), text.size());
        return *this;
    }

    // Of all fields so far.
    Hash hash() const { return hash_bytes({data_, size_}); }

private:
    void append(const void* data, std::size_t size) {
        if (size > capacity_ - size_) grow(size);
        if (size > 0) std::memcpy(data_ + size_, data, size);
        size_ += size;
    }
    void grow(std::size_t size) {
        std::vector<std::byte> larger(2 * capacity_ + size);
        std::memcpy(larger.data(), data_, size_);
        more_ = std::move(larger);
        data_ = more_.data();
        capacity_ = more_.size();
    }

    std::array<std::byte, 512> place_;   // not cleared: only what was added is read
    std::vector<std::byte> more_;
    std::byte* data_ = place_.data();
    std::size_t size_ = 0, capacity_ = place_.size();
};

}  // namespace gpu
