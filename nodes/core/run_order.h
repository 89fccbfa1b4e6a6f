// Which steps of a plan may run at the same time: those whose inputs are all over. For runs on several devices.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <vector>

#include "nodes/core/plan.h"

namespace nodes {

// Counts down to the steps that may run. A loop is one step, its end; what runs only when its reader says so (deferred) is
// its reader's business, and the reader comes after all that this may take. Not thread-safe.
class RunOrder {
public:
    explicit RunOrder(const RunPlan& plan);

    // Takes a step that may run now: one that reads what this worker made, where there is one, as its values lie on the worker's
    // device; else the first of the plan. Nothing where all that is left waits for others.
    std::optional<std::size_t> take(int worker);
    // The step that the worker took was tried.
    void over(std::size_t step, int worker);
    bool all_taken() const { return left_ == 0; }

private:
    std::vector<std::set<std::size_t>> reads_;          // by step: the steps that it waits for
    std::vector<std::vector<std::size_t>> readers_;
    std::vector<std::size_t> waits_for_;                // how many of them are not over
    std::vector<int> made_by_;                          // worker, -1 before that
    std::set<std::size_t> ready_;
    std::size_t left_ = 0;
};

}  // namespace nodes
