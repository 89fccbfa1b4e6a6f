// Products with a weight that stays: few rows against many columns, as linear layers and convolutions of small maps have
// them. The weight is copied once into panels, columns that lie side by side for each term, and is read once, in order, for
// all rows. Weights of 16 bits stay so in their panels, and are widened in registers: half the memory and half the traffic.
//
// GFLOP/s in an SD 1.5 UNet at 256 x 256, processor time of one core of a loaded machine (peak 103), oneDNN / panels of F32 /
// of F16: 3x3 of 1280 channels at 4x4 70/93/104, at 8x8 105/104/107; 64 x 1280 x 10240 88/101/104; 64 x 1280 x 1280 92/102/106.
// oneDNN is as good or better from some hundred rows on: 3x3 of 640 channels at 16x16 113/106/108, 1024 x 320 x 2560 101/94/97.
// There panels serve weights of 16 bits, for the memory.
#pragma once

#include <optional>

#include "gpu/run/host_kernel.h"

namespace gpu {

struct PanelProblem {
    std::int64_t columns = 0;       // of the result: outputs of the layer
    std::int64_t channels = 0;      // inputs
    std::int64_t taps = 1;          // of a convolution's window
    Dtype stored = Dtype::F32;      // of the panels

    std::uint64_t bytes() const { return static_cast<std::uint64_t>(columns * channels * taps) * size_of(stored); }
};

// For "matmul" and "convolution", where panels serve better than oneDNN; `x` and `y` are the shapes of data and result.
// `weight` is all of a leaf; its data is not looked at.
std::optional<PanelProblem> panel_problem(const Kernel& kernel, const HostOperand& weight, const Shape& x, const Shape& y);

// Runs the call, keeping the panels with the weight's leaf. False, and nothing is done, where panels do not serve. All but
// the weight is F32.
bool run_panels(const HostCall& call);

}  // namespace gpu
