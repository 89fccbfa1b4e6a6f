// What computes the steps of a run: order, lazy inputs, loops, results by key, failures. One a thread, on the thread's device.
#pragma once

#include <cstddef>
#include <memory>

#include "nodes/core/run_state.h"

namespace nodes {

class RunWorker {
public:
    // `number`: of the device that it computes on, in RunOptions::devices.
    RunWorker(RunState& run, int number);
    ~RunWorker();

    // Tries a step that has begun for this worker and whose inputs' steps are over; a loop's end goes round. Throws only what a
    // listener or a lack of memory throws.
    void run_step(std::size_t step);

private:
    class Work;
    std::unique_ptr<Work> work_;
};

}  // namespace nodes
