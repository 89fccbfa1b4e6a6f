// Runs one plan on one device: pipelines, recorded command lists, host kernels between them. Kept with the plan cache.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gpu/plan/program.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/host_kernel.h"
#include "gpu/vulkan/device.h"

namespace gpu {

class PlanRunner {
public:
    PlanRunner(Device& device, Program program);

    const Program& program() const { return program_; }

    // Runs with these leaves and numbers; one storage per output of the program. `arena` has at least arena_bytes.
    std::vector<StorageRef> run(const std::vector<StorageRef>& leaves, const std::vector<double>& scalars,
                                const BufferRef& arena, EvaluationCounters& counters);

private:
    // Where every buffer of a run lies: what decides whether a recording may be replayed.
    struct Bindings {
        std::vector<BufferRef> root;              // per node; null where there is none
        std::vector<std::uint64_t> address;       // per node, of the root's first element
        std::vector<std::byte*> host;             // per node; null where the host cannot see it
        std::vector<StorageRef> leaf;             // per leaf
        std::vector<double> scalars;
        std::vector<std::vector<BufferRef>> reordered;   // per step and read: a leaf in another order, else null
        std::vector<BufferRef> output;            // per output that has its own buffer
        std::vector<std::uint64_t> signature() const;
    };
    // Consecutive device steps, or one host step.
    struct Segment {
        CommandsRef commands;                     // null: host
        std::size_t first = 0, last = 0;
        double bytes = 0;                         // traffic
    };
    struct Recording {
        std::vector<std::uint64_t> signature;
        std::vector<Segment> segments;
        std::uint64_t last_used = 0;
    };

    Bindings bind(const std::vector<StorageRef>& leaves, const std::vector<double>& scalars, const BufferRef& arena);
    Recording record(const Bindings& bindings, bool timed);
    std::vector<std::byte> push_block(const Step& step, std::size_t index, const Bindings& bindings) const;
    void run_host(std::size_t index, const Bindings& bindings);
    HostOperand host_operand(const Operand& operand, std::size_t step, std::size_t read, const Bindings& bindings) const;
    void check_finite(std::size_t index, const Bindings& bindings) const;
    void report(const Step& step, std::int64_t nanoseconds) const;
    std::vector<StorageRef> results(const Bindings& bindings) const;

    Device& device_;
    Program program_;
    std::vector<PipelineRef> pipelines_;          // per step; null for host steps
    std::vector<std::shared_ptr<void>> host_state_;
    std::vector<Recording> recordings_;
    std::uint64_t clock_ = 0;
};

}  // namespace gpu
