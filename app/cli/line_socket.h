// Sockets of this machine: a Unix socket that only its owner reaches, or a port of the loopback address.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace app {

// A file descriptor that closes itself.
class Fd {
public:
    explicit Fd(int fd = -1) : fd_(fd) {}
    ~Fd();
    Fd(Fd&& other) noexcept : fd_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept;
    int get() const { return fd_; }
    int release();

private:
    int fd_;
};

// Listens at `path`, for its owner alone (mode 0600). A socket file that nobody listens on any more is replaced. Throws
// gpu::Error: Usage where somebody does, or a path is too long, Io where it can not be made.
Fd listen_unix(const std::string& path);

// Listens on 127.0.0.1; port 0 is a free one. `*port` becomes the port that it is. Throws gpu::Error{Io}.
Fd listen_loopback(std::uint16_t* port);

// Throw gpu::Error{Io} where nobody listens.
Fd connect_unix(const std::string& path);
Fd connect_loopback(std::uint16_t port);

// Lines to and from a server, one at a time, in the calling thread.
class LineClient {
public:
    explicit LineClient(Fd socket) : socket_(std::move(socket)) {}

    // Throws gpu::Error{Io} when the other side is gone.
    void send(std::string line);
    // The next line without its end; nothing when the other side is gone, or a signal came (then `interrupted()`).
    std::optional<std::string> read();
    bool interrupted() const { return interrupted_; }

private:
    Fd socket_;
    std::string buffer_;
    bool interrupted_ = false;
};

}  // namespace app
