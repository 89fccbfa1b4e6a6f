// Ctrl-C and termination: the first signal cancels the run, the second ends the process at once.
#pragma once

#include "gpu/base/cancel.h"

namespace app {

// Cancels `token` on SIGINT and SIGTERM for the length of the scope. One at a time.
class InterruptScope {
public:
    explicit InterruptScope(const gpu::CancelToken& token);
    ~InterruptScope();
    InterruptScope(const InterruptScope&) = delete;
    InterruptScope& operator=(const InterruptScope&) = delete;

    // The signal that came, 0 for none.
    int signal() const;
};

}  // namespace app
