#include "tests/isa/winograd_model.h"

#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "tests/isa/subjects.h"

using namespace gpu;

namespace tests {
namespace {

constexpr double lanes = 64, cache = 6e6, dispatch_seconds = 3e-6;

// With or without multiplications in it, the kernel has one loop, over elements; what is outside counts as if it were within.
double cycles_of(const CompiledStep& step, const Chip& chip) {
    const LoopStatistics loop = loop_statistics(step.code, step.wave, chip);
    return loop.issue + loop.outside;
}

}  // namespace

WinogradTransforms::WinogradTransforms(const NullDevice& device, const std::string& family, Dtype dtype, const std::string& variant)
    : chip_(chip(family)), element_(static_cast<double>(size_of(dtype))), transformed_(variant == "winograd_half" ? 2 : 4) {
    const Tensor y = conv2d(permute(blank(dtype, {1, 64, 64, 320}), {0, 3, 1, 2}), blank(dtype, {320, 320, 3, 3}), {.pad = 1});
    for (const CompiledStep& step : compile_steps(device, family, y, variant)) {
        check(step.failure.empty(), ErrorCode::Failure, "{}: {}", step.name, step.failure);
        if (step.name.starts_with("winograd_weight")) weight_ = cycles_of(step, chip_);
        if (step.name.starts_with("winograd_input")) input_ = cycles_of(step, chip_);
        if (step.name.starts_with("winograd_output")) output_ = cycles_of(step, chip_);
    }
    check(weight_ > 0 && input_ > 0 && output_ > 0, ErrorCode::Failure, "{}: expected three kernels around its products", variant);
}

double WinogradTransforms::kernel_seconds(double read, double written, bool read_lasts, double waves, double cycles) const {
    const double memory = (read_lasts ? read : 0) + (written > cache ? written : 0);
    return dispatch_seconds + std::max({(read + written) / chip_.l2, memory / chip_.dram, waves * cycles / (2 * chip_.units * chip_.clock)});
}

double WinogradTransforms::seconds(double pixels, double in, double out) const {
    const double tiles = pixels / 4, sums = 16 * tiles * out * transformed_;
    return kernel_seconds(pixels * in * element_, 16 * tiles * in * transformed_, true, tiles * in / lanes, input_) +
           kernel_seconds(sums, pixels * out * element_, sums > cache, tiles * out / lanes, output_);
}

double WinogradTransforms::weight_seconds(double in, double out) const {
    return kernel_seconds(9 * in * out * element_, 16 * in * out * transformed_, true, in * out / lanes, weight_);
}

}  // namespace tests
