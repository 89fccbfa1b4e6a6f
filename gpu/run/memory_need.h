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

struct LeafUses {
    std::vector<LeafUse> all;
    std::vector<std::vector<int>> of_step;   // per step and read: index into `all`, -1 for what is no leaf
    std::vector<std::uint64_t> kept;         // per step: bytes of the copy that its host kernel keeps of its weight, 0: none
};
LeafUses find_leaf_uses(const Program& program);

// Of results with buffers of their own; those in the places of donated leaves take none.
std::uint64_t output_bytes(const Program& program);

// Consecutive steps [first, last) whose leaves are on the device together.
struct StepRange {
    std::size_t first = 0, last = 0;
};
// Cuts the program so that the leaves of each range take at most `bytes`, or are those of one step.
std::vector<StepRange> cut_by_leaves(const Program& program, const LeafUses& uses, std::uint64_t bytes);
// The leaves that the largest single step reads.
std::uint64_t largest_step_leaves(const Program& program, const LeafUses& uses);
// Values of the arena that live during the fullest step.
std::uint64_t largest_live(const Program& program);

}  // namespace gpu
