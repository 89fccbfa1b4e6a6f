#include "gpu/io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "gpu/base/error.h"
#include "gpu/base/mapped_pages.h"

namespace gpu {

namespace {

struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

}  // namespace

MappedFile::MappedFile(std::string path) : path_(std::move(path)) {
    // Without O_NONBLOCK the opening of a pipe would wait for its writer.
    const Descriptor file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file.fd < 0) {
        const bool missing = errno == ENOENT || errno == ENOTDIR;
        throw Error(missing ? ErrorCode::MissingFile : ErrorCode::Io, "read file {}: {}", path_, std::strerror(errno));
    }
    struct stat status {};
    check(::fstat(file.fd, &status) == 0, ErrorCode::Io, "read file {}: {}", path_, std::strerror(errno));
    check(S_ISREG(status.st_mode), ErrorCode::BadFile, "read file {}: expected a regular file, got a {}", path_,
          S_ISDIR(status.st_mode) ? "folder" : "device or pipe");
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ == 0) return;  // an empty range can not be mapped
    void* const mapping = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
    check(mapping != MAP_FAILED, ErrorCode::Io, "map {} bytes of file {}: {}", size_, path_, std::strerror(errno));
    data_ = static_cast<const std::byte*>(mapping);
    note_mapping(bytes());
}

MappedFile::~MappedFile() {
    if (!data_) return;
    forget_mapping(bytes());
    ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

std::span<const std::byte> MappedFile::slice(std::uint64_t offset, std::uint64_t length, std::string_view what) const {
    return gpu::slice(bytes(), offset, length, what);
}

std::span<const std::byte> slice(std::span<const std::byte> bytes, std::uint64_t offset, std::uint64_t length,
                                 std::string_view what) {
    if (offset > bytes.size() || length > bytes.size() - offset)
        throw Error(ErrorCode::BadFile, "read {}: expected {} bytes at offset {}, got the end at {}", what, length,
                    offset, bytes.size());
    return bytes.subspan(offset, length);
}

}  // namespace gpu
