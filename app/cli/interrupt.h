// Ctrl-C and termination: the first signal cancels the run, the second ends the process at once. SIGUSR1 holds the run, another
// one lets it go on: `kill -USR1 PID`, as dd and others take signals that are no end.
#pragma once

#include "gpu/base/cancel.h"
#include "nodes/core/pause.h"

namespace app {

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
