// The steps of a plan that host kernels compute. What a run needs of a step is gathered when it first runs: until it runs
// again the kernels of all others have been through the caches, so every line that is looked at comes from memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "gpu/plan/program.h"
#include "gpu/run/memory_need.h"
#include "gpu/run/residency.h"
#include "gpu/vulkan/device.h"

namespace gpu {

// Where the first byte of a buffer or of a leaf's copy lies.
struct Place {
    std::uint64_t address = 0;    // for the device
    std::byte* host = nullptr;    // null where the host cannot see it
};

// Places of the present run. The vectors keep their sizes.
struct Places {
    std::vector<Place> uses;      // per LeafUses::all
    std::vector<Place> nodes;     // per node of the program

    // Of a step's read.
    const Place& of(const Program& program, const LeafUses& leaf_uses, std::size_t step, std::size_t read) const {
        const int use = leaf_uses.of_step[step][read];
        return use >= 0 ? uses[use] : nodes[program.steps[step].reads[read].root];
    }
};

class HostSteps {
public:
    // All but the device outlive it.
    HostSteps(const Device& device, const Program& program, const LeafUses& uses, const Places& places);
    ~HostSteps();

    // `leaves` and `scalars` as the program's. Throws Error{Failure} where an operand is not visible to the host, and what the kernel throws.
    void run(std::size_t step, const std::vector<const StorageRef*>& leaves, const std::vector<double>& scalars, Residency& residency);

private:
    struct HostStep;

    std::unique_ptr<HostStep> make(std::size_t index) const;
    bool is_whole_leaf(const Operand& operand) const;
    std::uint64_t room() const;
    void run_kernel(HostStep& step, Residency& residency) const;

    const Device& device_;
    const Program& program_;
    const LeafUses& uses_;
    const Places& places_;
    std::vector<std::unique_ptr<HostStep>> steps_;   // null for those of the device, and before the first run
};

}  // namespace gpu
