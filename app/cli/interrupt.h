// Ctrl-C and termination: the first signal cancels the run, the second ends the process at once. SIGUSR1 holds the run, another
// one lets it go on: `kill -USR1 PID`, as dd and others take signals that are no end.
#pragma once

#include <signal.h>

#include <thread>

#include "gpu/base/cancel.h"
#include "nodes/core/pause.h"

namespace app {

// While it lives, these signals are handled by a thread that does nothing else, and by none that is started meanwhile: where a kernel of the host's
// libraries is at work a handler's stack frame may lie over its data. (Seen as a corrupted heap in a training that got some thousand SIGUSR1.)
class SignalThread {
public:
    SignalThread();
    ~SignalThread();
    SignalThread(const SignalThread&) = delete;
    SignalThread& operator=(const SignalThread&) = delete;

private:
    const int end_;             // an eventfd
    sigset_t before_;           // of the thread that made this
    std::thread thread_;
};

// Cancels `token` on SIGINT and SIGTERM and toggles `pause` on SIGUSR1 for the length of the scope. One at a time.
class InterruptScope {
public:
    explicit InterruptScope(const gpu::CancelToken& token, const nodes::PauseToken& pause = {});
    ~InterruptScope();
    InterruptScope(const InterruptScope&) = delete;
    InterruptScope& operator=(const InterruptScope&) = delete;

    // The signal that came, 0 for none.
    int signal() const;
};

}  // namespace app
