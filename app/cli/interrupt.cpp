#include "app/cli/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace app {
namespace {

gpu::CancelToken* watched = nullptr;
volatile std::sig_atomic_t received = 0;

void on_signal(int number) {
    if (received != 0) _exit(128 + number);
    received = number;
    watched->cancel();
}

}  // namespace

InterruptScope::InterruptScope(const gpu::CancelToken& token) {
    static gpu::CancelToken slot;
    slot = token;
    watched = &slot;
    received = 0;
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

InterruptScope::~InterruptScope() {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
}

int InterruptScope::signal() const { return received; }

}  // namespace app
