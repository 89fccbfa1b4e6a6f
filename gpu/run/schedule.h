// How the steps of a plan are handed to the device: runs of dispatches that share a command list, host kernels between
// them, and dispatches so long that they are cut into pieces.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "gpu/plan/program.h"
#include "gpu/run/device_rate.h"
#include "gpu/run/memory_need.h"

namespace gpu {

struct Segment {
    std::size_t first = 0, last = 0;   // steps
    bool host = false;                 // of host kernels
    double seconds = 0;                // estimate of the device's time
    std::uint32_t pieces = 1;          // of one long dispatch
};

// No segment crosses the border of a range, and none is estimated to take longer than `slice` seconds unless it is one
// dispatch that cannot be cut. `alone` gives every step a segment of its own.
std::vector<Segment> make_schedule(const Program& program, const DeviceRate& rate, const std::vector<StepRange>& ranges,
                                   double slice, bool alone);

// A dispatch's part: workgroups [base, base + groups).
struct GroupPiece {
    std::array<std::uint32_t, 3> base{0, 0, 0}, groups{1, 1, 1};
};
// About equal pieces, at most `pieces` of them, along the longest axis that the step's shader lets itself be cut along.
std::vector<GroupPiece> cut_groups(const Step& step, const std::string& source, std::uint32_t pieces);

// GLSL of a step: shaders/NAME.comp with its epilogue where the planner only named it.
std::string complete_source(const std::string& source);

}  // namespace gpu
