// What a plan needs of a device's memory, known before it runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gpu/plan/program.h"

namespace gpu {

// One leaf in one order, as steps read it. Several reads may share it.
struct LeafUse {
    int leaf = 0;                    // index into Program::leaves
    Order order;
    bool host_only = false;          // only host kernels read it, as it lies: no copy where the host can see the bytes
    std::uint64_t bytes = 0;
    std::size_t first = 0, last = 0; // steps
};

// Consecutive steps [first, last) whose leaves are on the device together.
struct StepRange {
    std::size_t first = 0, last = 0;
};

// What host kernels pack from a weight into a layout of their own, and keep with it.
struct KeptCopy {
    int leaf = 0;
    std::uint64_t bytes = 0;
    bool optional = false;           // it widens weights of fewer bits, and is kept where there is room
};

struct LeafUses {
    std::vector<LeafUse> all;
    std::vector<std::vector<int>> of_step;   // per step and read: index into `all`, -1 for what is no leaf
    std::vector<KeptCopy> kept;              // one for a leaf at most

    // Those of a range's steps, ascending.
    std::vector<int> of(const StepRange& range) const;
};
LeafUses find_leaf_uses(const Program& program);

// Cuts the program so that the leaves of each range take at most `bytes`, or are those of one step.
std::vector<StepRange> cut_by_leaves(const Program& program, const LeafUses& uses, std::uint64_t bytes);
// The leaves that the largest single step reads.
std::uint64_t largest_step_leaves(const Program& program, const LeafUses& uses);
// Values of the arena that live during the fullest step.
std::uint64_t largest_live(const Program& program);

}  // namespace gpu
