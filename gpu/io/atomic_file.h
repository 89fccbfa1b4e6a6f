// Files that are replaced as a whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gpu {

// Writes to a temporary in the same folder; commit() makes it the file. Whatever happens before that (an error, a full
// disk, a kill), the old file stays whole. Without commit() the destructor removes the temporary; one that a killed
// process left is taken over by the next save of the same file.
//
//     AtomicFile file("a.json");
//     file.append(text);
//     file.commit();
//
// Throws Io for everything that goes wrong. Several processes may save the same file at once: the last commit wins.
class AtomicFile {
public:
    // Throws Io when the folder can not be written, or `path` is a folder, a device or a read-only file. A symbolic
    // link is followed, so that the link stays and its target is replaced.
    explicit AtomicFile(const std::string& path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    // Unbuffered: meant for large pieces.
    void append(std::span<const std::byte> bytes);
    void append(std::string_view text);

    // Puts bytes at a place inside what was written, or at or beyond its end: for formats that fill in a header at last.
    void write_at(std::uint64_t offset, std::span<const std::byte> bytes);

    // Bytes so far.
    std::uint64_t size() const { return size_; }

    // Flushes to the disk and renames. At most once; nothing may be appended after it.
    void commit();

private:
    void open_temporary();
    bool take(const std::string& temporary);
    void discard() noexcept;

    std::string path_;
    std::string temporary_;
    int fd_ = -1;
    std::uint64_t size_ = 0;
};

// Replaces `path` by these bytes: AtomicFile in one call.
void write_file(const std::string& path, std::span<const std::byte> bytes);
void write_file(const std::string& path, std::string_view text);

}  // namespace gpu
