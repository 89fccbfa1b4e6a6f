#include "app/cli/interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>

#include "gpu/base/error.h"

namespace app {
namespace {

gpu::CancelToken* watched = nullptr;
nodes::PauseToken* held = nullptr;
volatile std::sig_atomic_t received = 0;

void on_signal(int number) {
    if (received != 0) _exit(128 + number);
    received = number;
    watched->cancel();
}

void on_hold(int) { held->toggle(); }

}  // namespace

SignalThread::SignalThread() : end_(::eventfd(0, EFD_CLOEXEC)) {
    gpu::check(end_ >= 0, gpu::ErrorCode::Io, "take signals: expected a file descriptor, got none");
    sigset_t ours;
    sigemptyset(&ours);
    for (const int number : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&ours, number);
    pthread_sigmask(SIG_BLOCK, &ours, &before_);
    thread_ = std::thread([this] {
        pollfd end{end_, POLLIN, 0};
        while (::ppoll(&end, 1, nullptr, &before_) <= 0) {}      // interrupted: a handler ran
    });
}

SignalThread::~SignalThread() {
    ::eventfd_write(end_, 1);
    thread_.join();
    ::close(end_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

InterruptScope::InterruptScope(const gpu::CancelToken& token, const nodes::PauseToken& pause) {
    static gpu::CancelToken slot;
    static nodes::PauseToken pause_slot;
    slot = token;
    pause_slot = pause;
    watched = &slot;
    held = &pause_slot;
    received = 0;
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    action.sa_handler = on_hold;
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);
}

InterruptScope::~InterruptScope() {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGUSR1, SIG_IGN);      // one that comes late ends nothing
}

int InterruptScope::signal() const { return received; }

}  // namespace app
