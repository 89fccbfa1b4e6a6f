#include "gpu/io/zip.h"

#include <zlib.h>

#include <algorithm>
#include <string>

#include "gpu/base/error.h"
#include "gpu/io/mapped_file.h"

namespace gpu {

namespace {

constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t central_signature = 0x02014b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t end64_signature = 0x06064b50;
constexpr std::uint32_t locator64_signature = 0x07064b50;
constexpr std::size_t end_bytes = 22, locator64_bytes = 20, end64_bytes = 56, central_bytes = 46, local_bytes = 30;
constexpr std::uint32_t in_zip64 = 0xffffffff;  // a 32-bit field's value when the zip64 record holds it

[[noreturn]] void refuse(const std::string& expected, const std::string& got) {
    throw Error(ErrorCode::BadFile, "read zip archive: expected {}, got {}", expected, got);
}

// The end record is the last thing in the file, but for a comment of up to 65535 bytes that it counts itself.
std::uint64_t find_end(std::span<const std::byte> file) {
    if (file.size() >= end_bytes) {
        const std::uint64_t last = file.size() - end_bytes;
        const std::uint64_t first = last - std::min<std::uint64_t>(last, 65535);
        for (std::uint64_t at = last + 1; at-- > first;)
            if (read_little<std::uint32_t>(file, at, "zip end") == end_signature &&
                at + end_bytes + read_little<std::uint16_t>(file, at + 20, "zip end") == file.size())
                return at;
    }
    refuse("its directory at the end", format("none: the file of {} bytes is cut short", file.size()));
}

// Replaces the fields that did not fit 32 bits by those of the zip64 record among an entry's extra fields.
void read_zip64(std::span<const std::byte> extra, ZipEntry& entry) {
    for (std::uint64_t at = 0; at + 4 <= extra.size();) {
        const auto id = read_little<std::uint16_t>(extra, at, "zip extra field");
        const auto bytes = read_little<std::uint16_t>(extra, at + 2, "zip extra field");
        const auto field = slice(extra, at + 4, bytes, "zip extra field");
        at += 4 + bytes;
        if (id != 1) continue;
        std::uint64_t next = 0;
        for (std::uint64_t* value : {&entry.size, &entry.stored, &entry.header}) {
            if (*value != in_zip64) continue;
            *value = read_little<std::uint64_t>(field, next, "zip64 extra field");
            next += 8;
        }
        return;
    }
}

}  // namespace

ZipArchive::ZipArchive(std::span<const std::byte> file) : file_(file) {
    const std::uint64_t end = find_end(file);
    std::uint64_t count = read_little<std::uint16_t>(file, end + 10, "zip end");
    std::uint64_t bytes = read_little<std::uint32_t>(file, end + 12, "zip end");
    std::uint64_t offset = read_little<std::uint32_t>(file, end + 16, "zip end");
    if (end >= locator64_bytes &&
        read_little<std::uint32_t>(file, end - locator64_bytes, "zip64 locator") == locator64_signature) {
        const auto at = read_little<std::uint64_t>(file, end - locator64_bytes + 8, "zip64 locator");
        const auto record = slice(file, at, end64_bytes, "zip64 end");
        if (read_little<std::uint32_t>(record, 0, "zip64 end") != end64_signature)
            refuse("a zip64 end record where its locator points", "something else");
        count = read_little<std::uint64_t>(record, 32, "zip64 end");
        bytes = read_little<std::uint64_t>(record, 40, "zip64 end");
        offset = read_little<std::uint64_t>(record, 48, "zip64 end");
    }
    read_directory(offset, bytes, count);
}

void ZipArchive::read_directory(std::uint64_t offset, std::uint64_t bytes, std::uint64_t count) {
    const auto directory = slice(file_, offset, bytes, "zip directory");
    std::uint64_t at = 0;
    while (at < directory.size()) {
        const auto row = slice(directory, at, central_bytes, "zip directory");
        if (read_little<std::uint32_t>(row, 0, "zip directory") != central_signature)
            refuse("an entry in its directory", "something else");
        const auto name_bytes = read_little<std::uint16_t>(row, 28, "zip directory");
        const auto extra_bytes = read_little<std::uint16_t>(row, 30, "zip directory");
        const auto comment_bytes = read_little<std::uint16_t>(row, 32, "zip directory");
        ZipEntry entry{.name = as_text(slice(directory, at + central_bytes, name_bytes, "zip directory")),
                       .header = read_little<std::uint32_t>(row, 42, "zip directory"),
                       .stored = read_little<std::uint32_t>(row, 20, "zip directory"),
                       .size = read_little<std::uint32_t>(row, 24, "zip directory"),
                       .method = read_little<std::uint16_t>(row, 10, "zip directory"),
                       .flags = read_little<std::uint16_t>(row, 8, "zip directory"),
                       .crc = read_little<std::uint32_t>(row, 16, "zip directory")};
        read_zip64(slice(directory, at + central_bytes + name_bytes, extra_bytes, "zip directory"), entry);
        if (!index_.emplace(entry.name, entries_.size()).second)
            refuse("every entry once", std::string(entry.name) + " twice");
        entries_.push_back(entry);
        at += central_bytes + std::uint64_t(name_bytes) + extra_bytes + comment_bytes;
    }
    if (at != directory.size() || entries_.size() != count)
        refuse(format("{} entries in its directory", count), std::to_string(entries_.size()));
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &entries_[found->second];
}

std::span<const std::byte> ZipArchive::content(const ZipEntry& entry) const {
    const std::string what = "zip entry " + std::string(entry.name.substr(0, 200));
    if (entry.flags & 1) refuse(what + " in the clear", "an encrypted one");
    if (entry.method != 0) refuse(what + " stored", format("a compressed one (method {})", entry.method));
    if (entry.stored != entry.size)
        refuse(format("{} of {} bytes", what, entry.size), format("{} stored bytes", entry.stored));
    const auto local = slice(file_, entry.header, local_bytes, what);
    if (read_little<std::uint32_t>(local, 0, what) != local_signature)
        refuse(what + " at its offset", "something else");
    const auto name_bytes = read_little<std::uint16_t>(local, 26, what);
    const auto extra_bytes = read_little<std::uint16_t>(local, 28, what);
    // The offset is below the file's size by now, so that these sums can not overflow.
    if (as_text(slice(file_, entry.header + local_bytes, name_bytes, what)) != entry.name)
        refuse(what + " at its offset", "an entry of another name");
    return slice(file_, entry.header + local_bytes + name_bytes + extra_bytes, entry.size, what);
}

void ZipArchive::verify(const ZipEntry& entry, std::span<const std::byte> content) {
    if (entry.crc == 0) return;
    const auto sum = static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const unsigned char*>(content.data()), content.size()));
    if (sum != entry.crc)
        refuse(format("zip entry {} with check sum {}", entry.name.substr(0, 200), entry.crc), format("{}: its bytes are damaged", sum));
}

}  // namespace gpu
