// Stopping long work by request: a flag shared between who asks and who works, and the exception that unwinds the work.
#pragma once

#include <atomic>
#include <memory>

#include "gpu/base/error.h"

namespace gpu {

// Unwinds work that was asked to stop. Never shown as an error; code() is ErrorCode::Cancelled.
class Cancelled final : public Error {
public:
    Cancelled() : Error(ErrorCode::Cancelled, "cancelled") {}
};

// A cheap handle on one flag; copies share it. Any thread may call any function; cancel() is safe in a signal handler.
class CancelToken {
public:
    CancelToken() : flag_(std::make_shared<std::atomic<bool>>(false)) {}

    void cancel() const noexcept { flag_->store(true, std::memory_order_relaxed); }
    bool cancelled() const noexcept { return flag_->load(std::memory_order_relaxed); }
    // Throws Cancelled once cancel() was called.
    void check() const {
        if (cancelled()) throw Cancelled();
    }

private:
    std::shared_ptr<std::atomic<bool>> flag_;
};

// Makes `token` the one that check_cancelled() of this thread reads, for the length of the scope. The executor opens
// one around every node, so that the tensor runtime can poll between two dispatches without being handed a token.
class CancelScope {
public:
    explicit CancelScope(CancelToken token);
    ~CancelScope();
    CancelScope(const CancelScope&) = delete;
    CancelScope& operator=(const CancelScope&) = delete;

private:
    CancelToken token_;
    const CancelToken* outer_;
};

// Throws Cancelled when this thread's scope was asked to stop; returns at once where there is no scope.
void check_cancelled();

}  // namespace gpu
