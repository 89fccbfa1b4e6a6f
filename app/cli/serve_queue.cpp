#include "app/cli/serve_queue.h"

#include <QJsonDocument>
#include <algorithm>

#include "gpu/base/error.h"

namespace app {
namespace {

using gpu::Error;
using gpu::ErrorCode;

QString text(const std::string& text) { return QString::fromStdString(text); }

}  // namespace

ServeQueue::ServeQueue(Limits limits, std::size_t cache_bytes, std::shared_ptr<nodes::DiskCache> disk, std::function<void(const ServedLine&)> told,
                       std::vector<std::shared_ptr<gpu::DeviceSlot>> devices)
    : limits_(limits), told_(std::move(told)), devices_(std::move(devices)), cache_(cache_bytes) {
    if (disk) cache_.set_disk(std::move(disk));
    thread_ = std::thread([this] { work(); });
}

ServeQueue::~ServeQueue() {
    close(false);
    thread_.join();
}

int ServeQueue::submit(ServedRun run) {
    const std::lock_guard lock(mutex_);
    gpu::check(!closing_, ErrorCode::Usage, "expected a server that goes on, it is closing");
    gpu::check(waiting_.size() < limits_.waiting, ErrorCode::Usage, "expected at most {} runs that wait, there are as many", limits_.waiting);
    Job& job = jobs_[++last_];
    job.number = last_;
    job.run = std::move(run);
    waiting_.push_back(last_);
    tell(job, {{"event", "queued"}, {"graph", text(job.run.graph)}, {"name", text(job.run.name)}, {"position", static_cast<qint64>(waiting_.size())}});
    changed_.notify_all();
    return last_;
}

void ServeQueue::cancel(int number) {
    const std::lock_guard lock(mutex_);
    Job& job = find(number);
    job.cancel.cancel();
    if (job.state != State::Waiting) return;
    std::erase(waiting_, number);
    nodes::RunResult result;
    result.status = nodes::RunStatus::Cancelled;
    finish(job, result);
    changed_.notify_all();
}

void ServeQueue::move(int number, int position) {
    const std::lock_guard lock(mutex_);
    const Job& job = find(number);
    gpu::check(job.state == State::Waiting, ErrorCode::Usage, "expected a run that waits, {} does not any more", number);
    gpu::check(position >= 1 && position <= static_cast<int>(waiting_.size()), ErrorCode::Usage, "expected a position from 1 to {}, got {}", waiting_.size(), position);
    std::erase(waiting_, number);
    waiting_.insert(waiting_.begin() + position - 1, number);
}

void ServeQueue::set_paused(bool paused) {
    const std::lock_guard lock(mutex_);
    paused_ = paused;
    changed_.notify_all();
}

void ServeQueue::close(bool finish_all) {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    paused_ = false;
    if (!finish_all) {
        if (running_ > 0) find(running_).cancel.cancel();
        nodes::RunResult result;
        result.status = nodes::RunStatus::Cancelled;
        for (const int number : std::exchange(waiting_, {})) finish(find(number), result);
    }
    changed_.notify_all();
}

bool ServeQueue::closed() const {
    const std::lock_guard lock(mutex_);
    return closing_ && running_ == 0 && waiting_.empty();
}

// --- the thread that runs ---

void ServeQueue::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return (closing_ && waiting_.empty()) || (!paused_ && !waiting_.empty()); });
        if (waiting_.empty()) return;
        running_ = waiting_.front();
        waiting_.pop_front();
        Job& job = find(running_);      // stays where it is: only finished ones are forgotten
        job.state = State::Running;
        tell(job, start_json(job.run.graph));
        Cell cell = std::move(job.run.cell);
        nodes::RunOptions options = job.run.options;
        options.cache = &cache_;
        options.cancel = job.cancel;
        options.devices = devices_;
        options.on_event = [&](const nodes::Event& event) {
            const auto fields = event_json(event);
            if (!fields) return;
            const std::lock_guard held(mutex_);
            tell(job, *fields);
        };
        lock.unlock();
        try {
            run_cell(cell, options);
        } catch (const Error& error) {      // a folder that can not be made
            cell.result.status = nodes::RunStatus::Failed;
            cell.result.failures.push_back({.node = {}, .socket = {}, .message = error.what(), .code = error.code()});
            options.on_event(nodes::event::Failure{cell.result.failures.back()});
        }
        lock.lock();
        running_ = 0;
        QJsonObject result = cell_json(cell);
        for (const char* name : {"params", "files", "exit_code"}) result.remove(QLatin1String(name));
        QJsonArray outputs;
        for (const auto& output : cell.result.outputs)
            outputs.append(QJsonObject{{"id", text(output.node)}, {"path", text(output.path)}, {"bytes", static_cast<qint64>(output.bytes)}, {"sha256", text(output.sha256)}});
        result["outputs"] = outputs;
        job.result = result;
        finish(job, cell.result);
        const int number = job.number;
        lock.unlock();
        const std::vector<gpu::FailedWrite> failed = gpu::failed_writes();
        lock.lock();
        if (const auto at = jobs_.find(number); at != jobs_.end())      // not forgotten since
            for (const gpu::FailedWrite& one : failed) lose(at->second, one);
    }
}

// The lock is held. A run has ended, and a file of it could not be written.
void ServeQueue::lose(Job& job, const gpu::FailedWrite& failed) {
    job.status = nodes::to_string(nodes::RunStatus::Failed);
    job.exit_code = gpu::exit_code(failed.code);
    QJsonArray errors = job.result["errors"].toArray();
    errors.append(text(failed.message));
    job.result["errors"] = errors;
    tell(job, *event_json(nodes::event::Failure{{.node = {}, .socket = {}, .message = failed.message, .code = failed.code}}));
}

// The lock is held.
void ServeQueue::tell(Job& job, const QJsonObject& event) {
    QJsonObject fields = job.stamp(event);
    fields["job"] = job.number;
    ServedLine line{.job = job.number, .seq = fields["seq"].toInteger(), .json = QJsonDocument(fields).toJson(QJsonDocument::Compact),
                    .progress = event["event"] == "progress", .last = event["event"] == "end"};
    if (!line.progress) {
        job.lines.push_back(line);
        if (job.lines.size() > limits_.lines) job.lines.pop_front();
    }
    if (told_) told_(line);
}

// The lock is held.
void ServeQueue::finish(Job& job, const nodes::RunResult& result) {
    job.state = State::Done;
    job.status = nodes::to_string(result.status);
    job.exit_code = result.exit_code();
    job.run.cell = {};      // documents are not kept
    finished_.push_back(job.number);
    tell(job, end_json(result, job.exit_code));
    while (job.lines.size() > std::min(limits_.lines, limits_.finished_lines)) job.lines.pop_front();
    if (finished_.size() > limits_.finished) {
        jobs_.erase(finished_.front());
        finished_.pop_front();
    }
}

// --- what there is ---

ServeQueue::Job& ServeQueue::find(int number) { return const_cast<Job&>(std::as_const(*this).find(number)); }

const ServeQueue::Job& ServeQueue::find(int number) const {
    const auto at = jobs_.find(number);
    if (at != jobs_.end()) return at->second;
    throw Error(ErrorCode::Usage, number >= 1 && number <= last_ ? "expected a run that is remembered, {} is forgotten" : "expected the number of a run, got {}", number);
}

QJsonObject ServeQueue::summary(const Job& job) const {
    QJsonObject object{{"job", job.number}, {"name", text(job.run.name)}, {"graph", text(job.run.graph)}};
    if (job.state == State::Done) {
        object["state"] = text(job.status);
        object["exit_code"] = job.exit_code;
    } else {
        object["state"] = job.state == State::Running ? "running" : "waiting";
    }
    if (job.state == State::Waiting) object["position"] = static_cast<qint64>(std::ranges::find(waiting_, job.number) - waiting_.begin() + 1);
    return object;
}

QJsonObject ServeQueue::job_json(int number) const {
    const std::lock_guard lock(mutex_);
    const Job& job = find(number);
    QJsonObject object = summary(job);
    for (auto at = job.result.begin(); at != job.result.end(); ++at) object[at.key()] = at.value();
    return object;
}

QJsonArray ServeQueue::list_json() const {
    const std::lock_guard lock(mutex_);
    QJsonArray list;
    if (running_ > 0) list.append(summary(find(running_)));
    for (const int number : waiting_) list.append(summary(find(number)));
    for (auto at = finished_.rbegin(); at != finished_.rend(); ++at) list.append(summary(find(*at)));
    return list;
}

QJsonObject ServeQueue::state_json() const {
    const std::lock_guard lock(mutex_);
    return {{"paused", paused_}, {"running", running_ > 0}, {"waiting", static_cast<qint64>(waiting_.size())},
            {"cache_bytes", static_cast<qint64>(cache_.stats().bytes)}};
}

std::vector<ServedLine> ServeQueue::lines(int number) const {
    const std::lock_guard lock(mutex_);
    const Job& job = find(number);
    return {job.lines.begin(), job.lines.end()};
}

}  // namespace app
