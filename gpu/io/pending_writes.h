// Files that are still being written when the run that wrote them has ended: the state of a training is large, and who stops one should not wait for
// the disk. A run waits for them before it begins, and a program before it ends, which tells of those that failed: the command line by its exit
// status, the editor's engine by an event of the run after its end, the server by the state of the run.
#pragma once

#include <future>
#include <string>
#include <vector>

#include "gpu/base/error.h"

namespace gpu {

struct FailedWrite {
    std::string path, message;
    ErrorCode code = ErrorCode::Io;
};

// All functions may be called from any thread.

// `write` makes the file at `path` and goes on when its caller does not. It throws what failed.
void leave_write(std::string path, std::shared_future<void> write);
// The files that are not done yet.
std::vector<std::string> pending_writes();
void wait_for_writes();
// Waits for all and tells each failure once.
std::vector<FailedWrite> failed_writes();

}  // namespace gpu
