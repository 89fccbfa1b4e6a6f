// The part of the zip container that PyTorch writes: stored (uncompressed) entries, zip64 included, read in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gpu {

struct ZipEntry {
    std::string_view name;
    std::uint64_t header = 0;  // where the entry's local header starts
    std::uint64_t stored = 0;  // bytes in the file
    std::uint64_t size = 0;    // bytes of the content
    int method = 0;            // 0 is stored
    int flags = 0;
    std::uint32_t crc = 0;     // of the content; 0 where the writer left it out
};

// The directory of a zip file in memory, which must outlive it. The central directory is the authority. Check
// sums are computed for what is used, when it is used.
class ZipArchive {
public:
    // Throws BadFile when the directory is not there, is cut short, or names an entry twice.
    explicit ZipArchive(std::span<const std::byte> file);

    const std::vector<ZipEntry>& entries() const { return entries_; }

    // Null when there is none of this name.
    const ZipEntry* find(std::string_view name) const;

    // The content. Throws BadFile for a compressed or encrypted entry and for one that does not lie inside the file.
    std::span<const std::byte> content(const ZipEntry& entry) const;

    // Throws BadFile when the content's check sum is another than the entry's. Usable after the archive is gone, as long
    // as the file stays.
    static void verify(const ZipEntry& entry, std::span<const std::byte> content);

private:
    void read_directory(std::uint64_t offset, std::uint64_t bytes, std::uint64_t count);

    std::span<const std::byte> file_;
    std::vector<ZipEntry> entries_;
    std::unordered_map<std::string_view, std::size_t> index_;
};

}  // namespace gpu
