// An engine thread for programs with an event loop: runs one document after the other and reports by callback.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "nodes/core/executor.h"

namespace nodes {

// The callbacks run on the engine thread: marshal what they carry (events are plain copyable structs) to your own
// thread, e.g. by QMetaObject::invokeMethod. They must not call back into the runner other than cancel().
class Runner {
public:
    using OnEvent = std::function<void(int run, const Event&)>;
    using OnEnd = std::function<void(int run, const RunResult&)>;

    explicit Runner(OnEvent on_event, OnEnd on_end = {});
    ~Runner();  // cancels, waits
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    // Queues a run, cancels the one that goes and drops the one that waits. Returns at once with the run's number,
    // counted from 1, which every event of it carries. options.on_event, .cancel, .pause and (where null) .cache are
    // the runner's own.
    int start(const Document& document, RunOptions options = {});
    void cancel();  // the run that goes and the one that waits
    // Hold the run that goes and the one that waits, and let them go on (RunOptions::pause). A later run is not paused.
    void pause();
    void resume();
    bool busy() const;
    void wait();  // until nothing goes and nothing waits

    ResultCache& cache() { return cache_; }

private:
    struct Job {
        int number = 0;
        Document document;
        RunOptions options;
    };
    void work();

    OnEvent on_event_;
    OnEnd on_end_;
    ResultCache cache_;
    PlanMemo memo_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Job> waiting_;
    gpu::CancelToken running_cancel_;
    PauseToken running_pause_;
    bool running_ = false;
    bool closing_ = false;
    int last_ = 0;
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace nodes
