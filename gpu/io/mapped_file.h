// A whole file mapped read-only into memory. Pages are read on first touch, so opening a checkpoint of any size is
// quick.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gpu {

// Owns one mapping; movable, not copyable: share it as std::shared_ptr<const MappedFile>.
// The file must not be truncated while it is mapped (reading past the new end is a bus error, as with every mapping).
// AtomicFile never does so: it replaces files and leaves the mapped one alive.
class MappedFile {
public:
    // Throws MissingFile when there is no such file, BadFile when it is no regular file, Io when it can not be read.
    explicit MappedFile(std::string path);
    ~MappedFile();
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    const std::string& path() const { return path_; }
    std::uint64_t size() const { return size_; }

    // Everything; empty for an empty file.
    std::span<const std::byte> bytes() const { return {data_, size_}; }

    // `length` bytes from `offset`. Throws BadFile, naming `what` ("tensor x"), unless they lie inside the file.
    std::span<const std::byte> slice(std::uint64_t offset, std::uint64_t length, std::string_view what) const;

private:
    std::string path_;
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

// The same check for bytes that are already mapped: throws BadFile unless [offset, offset + length) lies in `bytes`.
std::span<const std::byte> slice(std::span<const std::byte> bytes, std::uint64_t offset, std::uint64_t length,
                                 std::string_view what);

// The little-endian integer at `offset`; the same check.
template <typename Integer>
Integer read_little(std::span<const std::byte> bytes, std::uint64_t offset, std::string_view what) {
    const auto part = slice(bytes, offset, sizeof(Integer), what);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) value |= std::to_integer<std::uint64_t>(part[i]) << (8 * i);
    return static_cast<Integer>(value);
}

// The bytes as characters, for comparisons and parsers of text.
inline std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace gpu
