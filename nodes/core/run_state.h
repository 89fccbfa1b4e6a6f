// One run as its workers share it: the executor's own, see executor.cpp and run_worker.h.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "nodes/core/executor.h"
#include "nodes/core/plan.h"

namespace nodes {

// What a run knows of a step. A step is its worker's from when it begins until it is over, and read by others after that;
// `begun`, `over` and `readers` are guarded by the run's mutex.
struct RunStep {
    std::vector<Value> outputs;
    int readers = 0;
    bool ready = false;
    bool asked = false, failed = false;  // of lazy inputs: it has said what it wants, or could not
    std::vector<bool> wanted;            // by input
    bool begun = false;                  // tried in this run, in a loop in this iteration
    bool over = false;                   // and ended, well or not; not set where a cancel ended it, nor inside of loops
    gpu::Hash key;                       // the plan's; in a loop that of this iteration
    // Of a loop's begin: which iteration runs, and the inputs that the one before left.
    std::int64_t iteration = 0;
    std::map<std::string, Value> given;
    std::map<std::string, gpu::Hash> given_keys;
};

class RunState {
public:
    RunState(const Document& document, const RunOptions& options) : document(document), options(options) {}

    // Events go out one at a time, whichever thread they come from.
    void send(const Event& event);
    void fail(NodeFailure failure);
    void add(const event::Metric& metric);
    void add(const event::Output& output);
    void count(bool cached);
    void resumable();
    // Waits while the run is paused; whether it was.
    bool hold();

    const Document& document;
    const RunOptions& options;
    Document low;                     // what runs of it
    FilePlaces places;
    RunPlan plan;
    std::vector<RunStep> steps;
    RunResult result;

    std::mutex mutex;                 // see RunStep; also of `cached` in the plan
    std::condition_variable changed;  // a step is over, or nothing will be
    std::atomic<bool> stopped = false;    // nothing more begins: a cancel came, or the run broke

private:
    std::mutex telling_;              // of `result`, and while an event goes out
    int holding_ = 0;                 // workers that wait in a pause
};

// Names what was thrown; nothing where it was a cancel, which is no failure.
std::optional<NodeFailure> failure_of(const std::exception_ptr& thrown, const std::string& node);

}  // namespace nodes
