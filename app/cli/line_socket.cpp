#include "app/cli/line_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gpu/base/error.h"

namespace app {
namespace {

using gpu::Error;
using gpu::ErrorCode;

[[noreturn]] void fail(const std::string& what) { throw Error(ErrorCode::Io, "{}: {}", what, std::strerror(errno)); }

Fd new_socket(int family) {
    Fd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.get() < 0) fail("make a socket");
    return socket;
}

sockaddr_un unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    gpu::check(!path.empty() && path.size() < sizeof address.sun_path, ErrorCode::Usage,
               "expected a path of a socket of 1 to {} bytes, got {}", sizeof address.sun_path - 1, path);
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

sockaddr_in loopback_address(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

template <typename Address>
bool connected(const Fd& socket, const Address& address) {
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

template <typename Address>
bool bound(const Fd& socket, const Address& address) {
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// Removes the file of a server that is gone. Throws where it is another file, or a server answers.
void remove_stale(const std::string& path, const sockaddr_un& address) {
    struct stat file {};
    gpu::check(lstat(path.c_str(), &file) != 0 || S_ISSOCK(file.st_mode), ErrorCode::Usage, "expected no file or a socket at {}, there is another file", path);
    const Fd socket = new_socket(AF_UNIX);
    gpu::check(!connected(socket, address) && errno != EAGAIN, ErrorCode::Usage, "expected a socket of its own, another server listens on {}", path);
    if (errno != ECONNREFUSED && errno != ENOENT) fail("connect to " + path);
    ::unlink(path.c_str());
}

}  // namespace

Fd::~Fd() {
    if (fd_ >= 0) ::close(fd_);
}

Fd& Fd::operator=(Fd&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = other.release();
    }
    return *this;
}

int Fd::release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
}

Fd listen_unix(const std::string& path) {
    const sockaddr_un address = unix_address(path);
    Fd socket = new_socket(AF_UNIX);
    const mode_t before = ::umask(0177);      // never open to others, not even for a moment
    bool made = bound(socket, address);
    if (!made && errno == EADDRINUSE) {
        try {
            remove_stale(path, address);
        } catch (...) {
            ::umask(before);
            throw;
        }
        made = bound(socket, address);
    }
    const int why = errno;
    ::umask(before);
    errno = why;
    if (!made) fail("listen on " + path);
    if (::listen(socket.get(), 16) != 0) fail("listen on " + path);
    return socket;
}

Fd listen_loopback(std::uint16_t* port) {
    Fd socket = new_socket(AF_INET);
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const std::string where = gpu::format("listen on 127.0.0.1:{}", *port);
    if (!bound(socket, loopback_address(*port)) || ::listen(socket.get(), 16) != 0) fail(where);
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) fail(where);
    *port = ntohs(address.sin_port);
    return socket;
}

Fd connect_unix(const std::string& path) {
    Fd socket = new_socket(AF_UNIX);
    if (!connected(socket, unix_address(path))) fail("expected heddle serve to listen on " + path);
    return socket;
}

Fd connect_loopback(std::uint16_t port) {
    Fd socket = new_socket(AF_INET);
    if (!connected(socket, loopback_address(port))) fail(gpu::format("expected heddle serve to listen on 127.0.0.1:{}", port));
    return socket;
}

void LineClient::send(std::string line) {
    line += '\n';
    for (std::size_t sent = 0; sent < line.size();) {
        const ssize_t count = ::send(socket_.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("send to the server");
        sent += static_cast<std::size_t>(count);
    }
}

std::optional<std::string> LineClient::read() {
    interrupted_ = false;
    for (std::size_t looked = 0;;) {
        if (const std::size_t end = buffer_.find('\n', looked); end != std::string::npos) {
            std::string line = buffer_.substr(0, end);
            buffer_.erase(0, end + 1);
            return line;
        }
        looked = buffer_.size();
        char bytes[65536];
        const ssize_t count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
        if (count < 0) interrupted_ = errno == EINTR;
        if (count <= 0) return std::nullopt;
        buffer_.append(bytes, static_cast<std::size_t>(count));
    }
}

}  // namespace app
