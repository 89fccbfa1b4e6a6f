// Runs that wait for each other: what `heddle serve` computes, in a thread of its own, without the sockets.
#pragma once

#include <QByteArray>
#include <QJsonArray>
#include <QJsonObject>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/cli/cells.h"
#include "app/cli/event_json.h"
#include "gpu/io/pending_writes.h"
#include "nodes/core/executor.h"

namespace app {

// A run that was asked for: a cell, and what is needed around it.
struct ServedRun {
    std::string name;               // for lists; may be empty
    std::string graph;              // path, or empty for one that came in the request
    Cell cell;
    nodes::RunOptions options;      // targets and folders; cache, cancel and listener are the queue's
};

// A line that a run told.
struct ServedLine {
    int job = 0;
    std::int64_t seq = 0;
    QByteArray json;
    bool progress = false;      // may be left out where a listener lags behind
    bool last = false;
};

// Every function may be called from any thread. Errors are gpu::Error{Usage}.
class ServeQueue {
public:
    struct Limits {
        std::size_t waiting = 1000;     // runs
        std::size_t finished = 1000;    // that are remembered
        std::size_t lines = 10000;      // that are remembered of a run, the newest; progress is not
        std::size_t finished_lines = 500;   // the same of one that is finished
    };
    // `told` is called by the thread that runs, or by who changes the queue, with a lock held: it must not call back.
    ServeQueue(Limits limits, std::size_t cache_bytes, std::shared_ptr<nodes::DiskCache> disk, std::function<void(const ServedLine&)> told,
               std::vector<std::shared_ptr<gpu::DeviceSlot>> devices = {});
    ~ServeQueue();      // cancels what runs, drops what waits
    ServeQueue(const ServeQueue&) = delete;
    ServeQueue& operator=(const ServeQueue&) = delete;

    int submit(ServedRun run);            // its number, from 1; Usage where too many wait, or it is closing
    void cancel(int job);                 // waiting or running; one that is finished stays as it is
    void move(int job, int position);     // among those that wait, from 1
    void set_paused(bool paused);         // what runs goes on
    void close(bool finish);              // takes no more; cancels all, unless they are to finish
    bool closed() const;                  // and nothing runs or waits any more

    QJsonObject job_json(int job) const;  // "job", "state", "outputs", "metrics", "errors", "exit_code" ...
    QJsonArray list_json() const;         // what runs, what waits in order, what is finished with the newest first
    QJsonObject state_json() const;       // "paused", "running", "waiting", "cache_bytes"
    std::vector<ServedLine> lines(int job) const;

private:
    enum class State { Waiting, Running, Done };
    struct Job {
        int number = 0;
        State state = State::Waiting;
        ServedRun run;
        gpu::CancelToken cancel{};
        LineStamp stamp{};
        std::deque<ServedLine> lines{};
        std::string status;             // "done", "failed", ... when it is Done
        int exit_code = 0;
        QJsonObject result{};
    };
    void work();
    void tell(Job& job, const QJsonObject& event);
    void finish(Job& job, const nodes::RunResult& result);
    void lose(Job& job, const gpu::FailedWrite& failed);
    Job& find(int job);
    const Job& find(int job) const;
    QJsonObject summary(const Job& job) const;

    const Limits limits_;
    const std::function<void(const ServedLine&)> told_;
    const std::vector<std::shared_ptr<gpu::DeviceSlot>> devices_;       // outlive what the cache keeps on them
    nodes::ResultCache cache_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<int, Job> jobs_;
    std::deque<int> waiting_, finished_;
    int running_ = 0;                   // 0: none
    int last_ = 0;
    bool paused_ = false, closing_ = false;
    std::thread thread_;                // last: it uses all of the above
};

}  // namespace app
