// Stops a run when a certain submission was made, whatever the speed of the device: nothing waits for a clock.
#pragma once

#include <string>

#include "gpu/base/cancel.h"
#include "gpu/base/log.h"
#include "gpu/base/switches.h"

namespace tests {

// While it lives, `token` is cancelled right after the `number`-th submission of a plan, 1 being the first.
class CancelAtSubmission {
public:
    CancelAtSubmission(const gpu::CancelToken& token, int number) {
        old_ = gpu::set_log_sink([this, token, number](std::string_view area, gpu::LogLevel, const std::string& text) {
            if (area == "run" && text.starts_with("submission ") && ++seen_ == number) token.cancel();
        });
    }
    ~CancelAtSubmission() { gpu::set_log_sink(old_); }
    CancelAtSubmission(const CancelAtSubmission&) = delete;
    CancelAtSubmission& operator=(const CancelAtSubmission&) = delete;

    int seen() const { return seen_; }

private:
    const gpu::ScopedSwitch<std::string> told_{&gpu::Switches::log, "run:debug"};
    gpu::LogSink old_;
    int seen_ = 0;
};

}  // namespace tests
