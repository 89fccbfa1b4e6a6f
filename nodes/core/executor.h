// Runs a document: demand-driven from its targets, results by content key, one failure per node that could not be
// computed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gpu/base/cancel.h"
#include "nodes/core/cache.h"
#include "nodes/core/document.h"
#include "nodes/core/events.h"
#include "nodes/core/pause.h"
#include "nodes/core/plan_memo.h"
#include "nodes/core/validate.h"

namespace gpu {
struct DeviceSlot;      // gpu/vulkan/device_scope.h
}

namespace nodes {

struct RunOptions {
    std::vector<std::string> targets{};  // node ids; empty: default_targets()
    // Nodes whose results somebody looks at: visited too, whether or not a target needs them. Those that can not run, or lie in a loop, are left out.
    std::vector<std::string> watched{};
    ResultCache* cache = nullptr;        // null: nothing is kept after the run
    PlanMemo* memo = nullptr;            // of earlier runs of this document; null: everything is looked at
    gpu::CancelToken cancel{};
    // While it is paused nothing is computed: the run holds before the next node, and inside of a node at the next step of
    // its progress. It goes on with the same results. A cancel ends it in a pause too.
    PauseToken pause{};
    // On the thread that runs, with several devices on the thread of each, one call at a time; must not throw and should
    // return soon.
    std::function<void(const Event&)> on_event{};
    // Folder that relative names of output files start from; empty: the current folder. Relative names of input files
    // start from the document's folder, else (where no such file is there) from the current one.
    std::string output_folder{};
    // Folders that files may be read from and written to, and files by their own name; empty: anywhere. A path that
    // leads elsewhere, also through a symbolic link, fails the node: a graph from a stranger reads only what its user
    // gave.
    std::vector<std::string> allowed{};
    // Devices that the run computes on, null for the thread's own; empty: that alone. With several, nodes that do not need one another run at once, one on
    // each device, and results are the same as from one (where the devices compute alike).
    std::vector<std::shared_ptr<gpu::DeviceSlot>> devices{};
};

struct RunResult {
    RunStatus status = RunStatus::Done;
    std::vector<Problem> problems;  // of validate(); with status Invalid they are the reason
    std::vector<NodeFailure> failures;
    std::vector<event::Output> outputs;
    std::vector<event::Metric> metrics;
    int computed = 0;  // nodes that ran to their end
    int cached = 0;    // nodes taken from the cache
    double ms = 0;
    bool resumable = false;  // cancelled, with a checkpoint on disk: the same run goes on from there

    // The process's exit status: 0, 3 for an invalid document, the failure's own code, 10 when some targets were done
    // and others failed, 130 when cancelled, 75 (EX_TEMPFAIL, by which farms queue a job again) when resumable as well.
    int exit_code() const;
};

// Runs in the calling thread, with several devices in threads of its own beside it; never throws. Nodes that a failed one feeds stay idle, other targets go on. A cancel ends
// it within 100 ms as long as nodes poll (see Node::compute); finished nodes keep their place in the cache.
RunResult run(const Document& document, const RunOptions& options = {});

}  // namespace nodes
