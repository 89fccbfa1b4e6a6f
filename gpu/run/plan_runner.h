// Runs one plan on one device: pipelines, recorded command lists, host kernels between them. Kept with the plan cache.
//
// A run fills the push constants of every segment from the addresses and numbers of that run. Lists that were recorded with
// the same words are submitted again; of a segment with other words those parts are recorded anew whose words changed (parts.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gpu/base/cancel.h"
#include "gpu/plan/program.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/host_steps.h"
#include "gpu/run/memory_need.h"
#include "gpu/run/parts.h"
#include "gpu/run/push_block.h"
#include "gpu/run/residency.h"
#include "gpu/run/schedule.h"
#include "gpu/vulkan/device.h"

namespace gpu {

// The pipeline of a step that is no host kernel.
PipelineKey pipeline_key(const Step& step);

class PlanRunner {
public:
    PlanRunner(std::shared_ptr<Device> device, Program program, DeviceRate& rate);
    ~PlanRunner();

    const Program& program() const { return program_; }
    const LeafUses& leaf_uses() const { return uses_; }
    const std::string& key_of_use(std::size_t use) const { return keys_[use]; }

    // Where a run's bytes lie.
    struct Memory {
        Residency& residency;
        BufferRef arena;                  // at least arena_bytes; null: every value gets a buffer while it lives
        std::vector<StepRange> ranges;    // whose leaves are on the device together, one after the other
        bool in_place = true;             // results may take the places of donated leaves
    };
    // Runs with these leaves and numbers; one storage per output of the program. Throws Error{OutOfMemory}, after which
    // the run may be tried again with other memory, and Cancelled; but once it writes over donated leaves it goes on to its end.
    std::vector<StorageRef> run(const std::vector<StorageRef>& leaves, const std::vector<double>& scalars,
                                const Memory& memory, EvaluationCounters& counters);

    // From now on runs are timed by the device's own clock, list by list.
    void time_on_device() { times_device_ = true; }
    // What the kernels of the last run took, with the gaps between them. 0: the device has no clock, or host kernels had their part.
    double device_seconds() const { return static_cast<double>(device_ns_) * 1e-9; }

    // Whether the last run began to write results into the places of donated leaves: it cannot be tried again then.
    bool wrote_over_leaves() const { return wrote_over_leaves_; }

private:
    struct Recording {
        std::vector<std::byte> words; // push constants of its dispatches
        std::vector<CommandsRef> lists;
        bool timed = false;
        std::uint64_t last_used = 0;
    };
    struct Part {
        StepPart steps;
        std::vector<Recording> recordings;
    };
    struct SegmentState {
        Segment segment;
        ChangingSteps changing;
        std::vector<Part> parts;
        std::vector<std::byte> words;   // of the last run
    };
    class Queue;

    void begin(const std::vector<StorageRef>& leaves, const std::vector<double>& scalars, const Memory& memory);
    void make_schedule_for(const std::vector<StepRange>& ranges);
    BufferRef donated_buffer(int node, Residency& residency) const;
    // `range`: an index into the ranges of the memory.
    void bind(std::size_t range, const Memory& memory);
    void make_room(std::size_t range, const Memory& memory);
    void release(std::size_t range, const Memory& memory);
    void forget_run();

    void enter(std::size_t last);
    void run_host(const Segment& segment, Queue& queue, Residency& residency, EvaluationCounters& counters);
    void run_device(SegmentState& state, Queue& queue, EvaluationCounters& counters);
    std::vector<CommandsRef> lists_for(SegmentState& state, bool timed, EvaluationCounters& counters);
    void learn_changes(SegmentState& state);
    Recording& recording_for(Part& part, std::uint32_t pieces, std::span<const std::byte> words, bool timed, EvaluationCounters& counters);
    Recording record(const StepPart& steps, std::uint32_t pieces, std::span<const std::byte> words, bool timed);
    std::size_t words_of(std::size_t step) const { return dispatches(step) ? pushes_[step].size() : 0; }   // bytes
    void fill_words(std::size_t step, std::span<std::byte> into) const;
    bool dispatches(std::size_t step) const;

    void record_step(std::size_t index, Commands& commands) const;
    void check_finite(std::size_t index);
    const Buffer* buffer_of(int node) const;
    void profile(const Segment& segment, const std::vector<CommandsRef>& lists, std::int64_t start) const;
    std::vector<StorageRef> results(Residency& residency) const;

    std::shared_ptr<Device> device_;
    Program program_;
    DeviceRate& rate_;
    LeafUses uses_;
    std::vector<std::string> keys_;               // of the device copies, per use
    std::vector<PushBlock> pushes_;               // per step
    std::vector<PipelineRef> pipelines_;          // per step; null for host steps
    Places places_;                               // of the present run; those in the arena stay from run to run
    HostSteps host_steps_;

    std::vector<SegmentState> segments_;
    std::vector<std::vector<int>> range_uses_;    // per range: the leaf uses of its steps, ascending
    std::vector<std::size_t> schedule_key_;

    // Of the present run.
    std::vector<const StorageRef*> leaves_;       // per program leaf
    std::vector<double> scalars_;
    std::vector<BufferRef> use_buffers_, value_buffers_;   // per use; per node without an arena
    std::vector<BufferRef> outputs_;
    BufferRef arena_;
    std::uint64_t arena_address_ = 0;             // for which places_ holds; 0: none
    std::vector<std::byte> words_;                // scratch
    std::uint64_t clock_ = 0;
    bool check_nan_ = false, times_device_ = false;
    std::int64_t device_ns_ = 0;                  // of the last run, where it was timed
    std::vector<int> output_nodes_;               // whose buffers are results
    std::optional<CancelScope> to_the_end_;       // stops are not heeded any more
    bool wrote_over_leaves_ = false;
    std::size_t first_taking_ = 0;                // the first step that writes over a donated leaf; SIZE_MAX: none does
};

}  // namespace gpu
