#include "app/cli/line_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "gpu/base/error.h"

namespace app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto farewell = std::chrono::seconds(1);

sigset_t stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

}  // namespace

LineServer::LineServer(Limits limits, Handler handler) : limits_(limits), handler_(std::move(handler)) {
    const sigset_t set = stop_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signals_ = Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    wake_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    gpu::check(signals_.get() >= 0 && wake_.get() >= 0, gpu::ErrorCode::Io, "expected descriptors for signals, there are no more");
}

LineServer::~LineServer() {
    const sigset_t set = stop_signals();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void LineServer::wake() {
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
}

void LineServer::run() {
    std::vector<pollfd> polled;
    Clock::time_point until = Clock::time_point::max();
    while (Clock::now() < until) {
        if (stopping_ && flushed()) return;
        if (stopping_ && until == Clock::time_point::max()) until = Clock::now() + farewell;
        polled.assign({{wake_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}});
        for (const Fd& socket : listening_) polled.push_back({socket.get(), static_cast<short>(stopping_ ? 0 : POLLIN), 0});
        const std::size_t first = polled.size();
        std::vector<Client> order;
        for (const auto& [client, state] : clients_) {
            const bool reads = !state.ended && !state.closing && state.out.size() < limits_.unread / 2;
            polled.push_back({state.socket.get(), static_cast<short>((reads ? POLLIN : 0) | (state.out.empty() ? 0 : POLLOUT)), 0});
            order.push_back(client);
        }
        if (::poll(polled.data(), polled.size(), wait_ms()) < 0 && errno != EINTR) throw gpu::Error(gpu::ErrorCode::Io, "wait for clients: poll failed");

        std::uint64_t count = 0;
        if (::read(wake_.get(), &count, sizeof count) > 0 && handler_.woken) handler_.woken();
        for (signalfd_siginfo info; ::read(signals_.get(), &info, sizeof info) == sizeof info;)
            if (handler_.signal) handler_.signal(static_cast<int>(info.ssi_signo));
        for (std::size_t i = 0; i < order.size(); ++i) {
            const short events = polled[first + i].revents;
            if (events & (POLLIN | POLLHUP)) receive(order[i]);
            if (const auto at = clients_.find(order[i]); at != clients_.end() && (events & POLLERR)) at->second.broken = true;
        }
        for (std::size_t i = 2; i < first; ++i)
            if (polled[i].revents & POLLIN) accept_from(listening_[i - 2]);
        for (auto& [client, state] : clients_) write_to(state);
        drop_dead();
    }
}

int LineServer::wait_ms() const {
    if (stopping_) return 50;
    const bool strangers = std::ranges::any_of(clients_, [](const auto& entry) { return !entry.second.admitted; });
    return strangers ? 1000 : -1;
}

bool LineServer::flushed() const {
    return std::ranges::all_of(clients_, [](const auto& entry) { return entry.second.out.empty(); });
}

void LineServer::accept_from(const Fd& socket) {
    Fd made(::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (made.get() < 0) return;      // gone again
    if (clients_.size() >= limits_.clients) {
        constexpr std::string_view full = "{\"ok\":false,\"error\":{\"code\":\"usage\",\"message\":\"expected fewer clients at once\"}}\n";
        (void)::send(made.get(), full.data(), full.size(), MSG_NOSIGNAL);
        return;
    }
    const Client client = made.get();
    clients_[client].socket = std::move(made);
    if (handler_.arrived) handler_.arrived(client);
}

void LineServer::receive(Client client) {
    const auto at = clients_.find(client);
    if (at == clients_.end() || at->second.closing || at->second.ended) {
        // Closed on both sides: nothing will reach it.
        if (at != clients_.end()) at->second.broken = true;
        return;
    }
    State& state = at->second;
    char bytes[65536];
    const ssize_t count = ::recv(state.socket.get(), bytes, sizeof bytes, 0);
    if (count < 0) {
        state.broken = errno != EAGAIN && errno != EINTR;
        return;
    }
    state.ended = count == 0;
    state.in.append(bytes, static_cast<std::size_t>(count));
    std::size_t begin = 0;
    for (std::size_t end; !state.closing && (end = state.in.find('\n', std::max(begin, state.looked))) != std::string::npos; begin = end + 1) {
        std::string line = state.in.substr(begin, end - begin);
        if (line.ends_with('\r')) line.pop_back();
        if (line.empty()) continue;
        if (line.size() > (state.admitted ? limits_.line : limits_.first_line)) break;
        handler_.line(client, line);
    }
    state.in.erase(0, begin);
    state.looked = state.in.size();
    const std::size_t most = state.admitted ? limits_.line : limits_.first_line;
    if (state.in.size() <= most || state.closing) return;
    send(client, gpu::format("{\"ok\":false,\"error\":{\"code\":\"usage\",\"message\":\"expected a line of at most {} bytes\"}}", most));
    state.closing = true;
    state.in.clear();
}

void LineServer::admit(Client client) {
    if (const auto at = clients_.find(client); at != clients_.end()) at->second.admitted = true;
}

void LineServer::send(Client client, const std::string& line) {
    const auto at = clients_.find(client);
    if (at == clients_.end() || at->second.closing) return;
    State& state = at->second;
    state.out += line;
    state.out += '\n';
    if (state.out.size() > limits_.unread) write_to(state);
    state.broken = state.broken || state.out.size() > limits_.unread;
}

std::size_t LineServer::unread(Client client) const {
    const auto at = clients_.find(client);
    return at == clients_.end() ? 0 : at->second.out.size();
}

void LineServer::close(Client client) {
    if (const auto at = clients_.find(client); at != clients_.end()) at->second.closing = true;
}

void LineServer::write_to(State& state) {
    std::size_t sent = 0;
    while (sent < state.out.size() && !state.broken) {
        const ssize_t count = ::send(state.socket.get(), state.out.data() + sent, state.out.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0) sent += static_cast<std::size_t>(count);
        else if (errno == EAGAIN) break;
        else if (errno != EINTR) state.broken = true;
    }
    state.out.erase(0, sent);
}

void LineServer::drop_dead() {
    const auto now = Clock::now();
    for (auto at = clients_.begin(); at != clients_.end();) {
        State& state = at->second;
        const bool done = state.out.empty() && (state.closing || (state.ended && !handler_.expects(at->first)));
        if (state.broken || done || (!state.admitted && now - state.since > limits_.patience)) {
            const Client client = at->first;
            if (handler_.gone) handler_.gone(client);
            at = clients_.erase(at);      // closes; only now the number may come back
        } else {
            ++at;
        }
    }
}

}  // namespace app
