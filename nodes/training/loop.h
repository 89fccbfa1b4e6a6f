// The training loop: steps of an objective with checkpoints from which a run goes on to the same bytes, samples and a loss curve.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "gpu/base/cancel.h"
#include "nodes/types/objective.h"

namespace nodes {

struct TrainPlan {
    gpu::train::TrainOptions options;
    std::int64_t steps = 1000;
    int batch = 16;                     // items of a micro-batch
    int accumulate = 1;                 // micro-batches of a step
    std::uint64_t seed = 0;             // of the order of items and of all random choices
    std::string checkpoint;             // safetensors; empty: none. One that is there is gone on from
    std::int64_t checkpoint_every = 0;  // steps; 0: at the end and when the run is stopped
    std::string log;                    // CSV with a row every `log_every` steps; empty: none
    std::int64_t log_every = 50;
    std::int64_t sample_every = 0;      // steps; 0: at the end
};

struct TrainProgress {
    std::int64_t step = 0, steps = 0;   // done
    double loss = 0;                    // a mean over the last steps
    double rate = 0, norm = 0;
    double items_per_second = 0;        // since the run was started or gone on with
};

// What the loop tells; empty ones are not told.
struct TrainEvents {
    std::function<void(const TrainProgress&)> progress;                                            // every step
    std::function<void(const TrainProgress&, const Image&)> samples;
    std::function<void(const TrainProgress&, const std::vector<TrainMetric>&)> metrics;            // with the samples
    std::function<void(const TrainProgress&)> stopped;                                             // cancelled, the checkpoint is written or being written
};

struct TrainOutcome {
    Trained trained;
    TrainProgress last;
    std::vector<TrainMetric> metrics;
};

// Runs to the plan's last step. A run that is stopped (`cancel`) leaves its checkpoint behind, maybe still on its way (gpu/io/pending_writes.h), and
// throws Cancelled. Throws BadFile for one of another objective or seed, Numeric where the loss is no number any more: the last checkpoint stays.
TrainOutcome train(const Objective& objective, const TrainPlan& plan, const gpu::CancelToken& cancel, const TrainEvents& events = {});

}  // namespace nodes
