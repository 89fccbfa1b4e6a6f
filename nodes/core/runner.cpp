#include "nodes/core/runner.h"

#include "gpu/io/pending_writes.h"

namespace nodes {

Runner::Runner(OnEvent on_event, OnEnd on_end)
    : on_event_(std::move(on_event)), on_end_(std::move(on_end)), thread_([this] { work(); }) {}

Runner::~Runner() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
        waiting_.reset();
        running_cancel_.cancel();
    }
    changed_.notify_all();
    thread_.join();
}

int Runner::start(const Document& document, RunOptions options) {
    const std::lock_guard lock(mutex_);
    running_cancel_.cancel();
    options.pause = PauseToken();
    waiting_ = Job{++last_, document, std::move(options)};
    changed_.notify_all();
    return last_;
}

void Runner::cancel() {
    const std::lock_guard lock(mutex_);
    running_cancel_.cancel();
    waiting_.reset();
    changed_.notify_all();
}

void Runner::pause() {
    const std::lock_guard lock(mutex_);
    running_pause_.pause();
    if (waiting_) waiting_->options.pause.pause();
}

void Runner::resume() {
    const std::lock_guard lock(mutex_);
    running_pause_.resume();
    if (waiting_) waiting_->options.pause.resume();
}

bool Runner::busy() const {
    const std::lock_guard lock(mutex_);
    return running_ || waiting_;
}

void Runner::wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !running_ && !waiting_; });
}

void Runner::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return closing_ || waiting_; });
        if (closing_) return;
        Job job = std::move(*waiting_);
        waiting_.reset();
        running_ = true;
        running_cancel_ = gpu::CancelToken();
        job.options.cancel = running_cancel_;
        running_pause_ = job.options.pause;
        if (!job.options.cache) job.options.cache = &cache_;
        job.options.memo = &memo_;
        job.options.on_event = [this, number = job.number](const Event& event) {
            if (on_event_) on_event_(number, event);
        };
        lock.unlock();
        const RunResult result = run(job.document, job.options);
        if (on_end_) on_end_(job.number, result);
        for (const gpu::FailedWrite& failed : gpu::failed_writes())
            job.options.on_event(event::Failure{{.node = {}, .socket = {}, .message = failed.message, .code = failed.code}});
        lock.lock();
        running_ = false;
        changed_.notify_all();
    }
}

}  // namespace nodes
