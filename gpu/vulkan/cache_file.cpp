#include "gpu/vulkan/cache_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "gpu/base/log.h"
#include "gpu/base/switches.h"

namespace gpu {
namespace {

constexpr std::uint32_t cache_version = 1;

struct Header {
    char magic[8];
    std::uint32_t version;
    std::uint32_t reserved;
    Hash key;
    Hash payload;
    std::uint64_t payload_bytes;
};

constexpr char cache_magic[8] = {'H', 'D', 'L', 'c', 'a', 'c', 'h', 'e'};
constexpr std::uint64_t largest_payload = 1ull << 30;

struct File {
    explicit File(int descriptor) : descriptor(descriptor) {}
    ~File() {
        if (descriptor >= 0) close(descriptor);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    const int descriptor;
};

bool read_all(int descriptor, void* into, std::size_t size) {
    auto* at = static_cast<char*>(into);
    while (size > 0) {
        const ssize_t got = read(descriptor, at, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

bool write_all(int descriptor, const void* from, std::size_t size) {
    const auto* at = static_cast<const char*>(from);
    while (size > 0) {
        const ssize_t written = write(descriptor, at, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        at += written;
        size -= static_cast<std::size_t>(written);
    }
    return true;
}

void report_once(const std::string& path, const std::string& why) {
    static std::atomic<bool> reported = false;
    if (!reported.exchange(true)) log("vulkan", LogLevel::Info, "cache file {} could not be written: {}", path, why);
}

}  // namespace

std::optional<std::vector<std::byte>> read_cache_file(const std::string& path, const Hash& key) {
    const std::string full = cache_directory() + "/" + path;
    const File file(open(full.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.descriptor < 0) return std::nullopt;
    struct stat status {};
    Header header;
    if (fstat(file.descriptor, &status) != 0 || !read_all(file.descriptor, &header, sizeof header)) return std::nullopt;
    if (std::memcmp(header.magic, cache_magic, sizeof cache_magic) != 0 || header.version != cache_version ||
        header.key != key || header.payload_bytes > largest_payload ||
        static_cast<std::uint64_t>(status.st_size) != sizeof header + header.payload_bytes)
        return std::nullopt;
    std::vector<std::byte> payload(header.payload_bytes);
    if (!read_all(file.descriptor, payload.data(), payload.size()) || hash_bytes(payload) != header.payload)
        return std::nullopt;
    return payload;
}

void write_cache_file(const std::string& path, const Hash& key, std::span<const std::byte> payload) {
    static std::atomic<unsigned> serial = 0;
    const std::string full = cache_directory() + "/" + path;
    std::error_code failure;
    std::filesystem::create_directories(std::filesystem::path(full).parent_path(), failure);
    if (failure) return report_once(full, failure.message());

    Header header{
        .version = cache_version, .key = key, .payload = hash_bytes(payload), .payload_bytes = payload.size()};
    std::memcpy(header.magic, cache_magic, sizeof cache_magic);
    const std::string temporary = format("{}.{}.{}.tmp", full, getpid(), serial++);
    bool whole = false;
    {
        const File file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
        if (file.descriptor < 0) return report_once(full, std::strerror(errno));
        whole = write_all(file.descriptor, &header, sizeof header) &&
                write_all(file.descriptor, payload.data(), payload.size());
    }
    if (!whole || std::rename(temporary.c_str(), full.c_str()) != 0) {
        report_once(full, std::strerror(errno));
        unlink(temporary.c_str());
    }
}

}  // namespace gpu
