// Which items each step of a training run visits. A pass visits every item once, in an order that the seed decides; the number of a step says
// all of it, so that a run that goes on visits what it would have visited.
#pragma once

#include <cstdint>
#include <vector>

#include "nodes/types/dataset.h"

namespace nodes {

class Walk {
public:
    // `groups`: which group each item belongs to; empty: all in one, and steps go over the end of a pass. With groups a step visits items of one
    // of them, as buckets of picture sizes want it (NovelAI's aspect ratio bucketing): the last step of a group in a pass may have fewer.
    Walk(std::uint64_t seed, std::int64_t size, std::vector<int> groups, int batch, int accumulate);

    // The micro-batches of a step. Not thread-safe.
    std::vector<std::vector<Visit>> step(std::int64_t step) const;

private:
    void begin_pass(std::uint64_t pass) const;

    std::uint64_t seed_;
    std::int64_t size_, batch_, per_step_;
    std::vector<std::vector<std::int64_t>> members_;      // of each group; none without groups
    std::int64_t steps_ = 0;                              // of a pass, with groups
    mutable std::int64_t pass_ = -1;
    mutable std::vector<std::vector<Visit>> order_;       // the steps of that pass
};

}  // namespace nodes
