#include "gpu/io/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "gpu/base/error.h"

namespace gpu {

namespace {

// Where a chain of symbolic links ends; the path itself when it is no link or leads nowhere.
std::string follow_links(const std::string& path) {
    std::error_code failure;
    if (!std::filesystem::is_symlink(path, failure)) return path;
    const auto target = std::filesystem::canonical(path, failure);
    return failure ? path : target.string();
}

std::filesystem::path folder_of(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path();
    return folder.empty() ? std::filesystem::path(".") : folder;
}

void sync_folder(const std::string& path) {
    // The file is already in place; a file system that can not flush folders is no reason to report a failed save.
    const int fd = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

[[noreturn]] void fail(const std::string& path, std::string_view step) {
    const int reason = errno;
    throw Error(ErrorCode::Io, "save file {}: {}: {}", path, step, std::strerror(reason));
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path) : path_(follow_links(path)) {
    struct stat old {};
    const bool exists = ::stat(path_.c_str(), &old) == 0;
    check(!exists || S_ISREG(old.st_mode), ErrorCode::Io, "save file {}: expected a regular file, got a {}", path_,
          S_ISDIR(old.st_mode) ? "folder" : "device or pipe");
    if (exists && ::access(path_.c_str(), W_OK) != 0) fail(path_, "the old file may not be written");
    open_temporary();
    // Best effort: the new file keeps the old one's permissions.
    if (exists) [[maybe_unused]]
        const int ignored = ::fchmod(fd_, old.st_mode & 0777);
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::open_temporary() {
    // Few fixed names instead of random ones: what a killed process left is found again without searching the folder.
    constexpr int most = 64;
    const std::filesystem::path target(path_);
    const std::string stem = target.filename().string().substr(0, 200);  // the name stays below the usual limit of 255
    for (int number = 0; number < most; ++number) {
        const std::string name = "." + stem + "." + std::to_string(number) + ".tmp";
        if (take((target.parent_path() / name).string())) return;
    }
    throw Error(ErrorCode::Io, "save file {}: expected a free temporary beside it, got {} in use", path_, most);
}

// Creates and locks this temporary, or takes over one whose process is gone. The lock of a killed process is released
// by the kernel, so a free lock means that nobody writes. False when another save holds it.
bool AtomicFile::take(const std::string& temporary) {
    const int flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    fd_ = ::open(temporary.c_str(), flags | O_CREAT | O_EXCL, 0666);
    const bool created = fd_ >= 0;
    if (!created) {
        if (errno != EEXIST) fail(path_, "create a temporary beside it");
        fd_ = ::open(temporary.c_str(), flags);
        if (fd_ < 0) return false;
    }
    const bool locked = ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
    const bool unsupported = !locked && errno != EWOULDBLOCK;
    struct stat mine {
    }, named{};
    // Between open and lock another save may have renamed or removed the file: the name must still mean this inode.
    const bool same = ::fstat(fd_, &mine) == 0 && ::lstat(temporary.c_str(), &named) == 0 &&
                      mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
    const bool ours = same && S_ISREG(mine.st_mode) && mine.st_nlink == 1 && mine.st_uid == ::geteuid();
    if (ours && (locked || (unsupported && created)) && (created || ::ftruncate(fd_, 0) == 0)) {
        temporary_ = temporary;
        return true;
    }
    ::close(fd_);
    fd_ = -1;
    return false;
}

void AtomicFile::append(std::span<const std::byte> bytes) { write_at(size_, bytes); }

void AtomicFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
    check(fd_ >= 0, ErrorCode::Failure, "save file {}: expected an open file, got an append after its commit", path_);
    while (!bytes.empty()) {
        const std::size_t piece = std::min<std::size_t>(bytes.size(), 1u << 30);
        const ssize_t written = ::pwrite(fd_, bytes.data(), piece, static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail(path_, format("write {} bytes at offset {}", bytes.size(), offset));
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
        size_ = std::max(size_, offset);
    }
}

void AtomicFile::append(std::string_view text) { append(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
    check(fd_ >= 0, ErrorCode::Failure, "save file {}: expected an open file, got a second commit", path_);
    // First the data, then the name: a crash in between must not leave the new name on an empty file.
    if (::fsync(fd_) != 0) fail(path_, "flush to the disk");
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "rename the temporary");
    temporary_.clear();
    discard();
    sync_folder(path_);
}

void AtomicFile::discard() noexcept {
    // The name goes first: once the lock is free, another save may take the file over.
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    temporary_.clear();
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

void write_file(const std::string& path, std::span<const std::byte> bytes) {
    AtomicFile file(path);
    file.append(bytes);
    file.commit();
}

void write_file(const std::string& path, std::string_view text) { write_file(path, std::as_bytes(std::span(text))); }

}  // namespace gpu
