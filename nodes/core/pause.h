// Holding a run and letting it go on: a flag shared between who asks and who works.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "gpu/base/cancel.h"

namespace nodes {

// A cheap handle on one flag; copies share it. Any thread may call any function; pause(), resume() and toggle() are safe in
// a signal handler.
class PauseToken {
public:
    void pause() const noexcept { flag_->store(true, std::memory_order_relaxed); }
    void resume() const noexcept { flag_->store(false, std::memory_order_relaxed); }
    void toggle() const noexcept { paused() ? resume() : pause(); }
    bool paused() const noexcept { return flag_->load(std::memory_order_relaxed); }

    // Returns once the run may go on, or was cancelled.
    void wait(const gpu::CancelToken& cancel) const {
        while (paused() && !cancel.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }

private:
    std::shared_ptr<std::atomic<bool>> flag_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace nodes
