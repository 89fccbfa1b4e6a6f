// What the planner fused behind a host kernel that writes its result itself, row by row.
#pragma once

#include <span>

#include "gpu/run/host_kernel.h"

namespace gpu {

// Applies the call's post-operations to `count` neighbouring values of the result along its last axis, which begin at
// `index` (one number for each axis of the result).
void apply_post_ops(const HostCall& call, std::span<const std::int64_t> index, float* values, std::int64_t count);

// Operands of [batch, channels, ...] with their channels last, as rows of a map lie.
std::vector<HostOperand> channels_behind(std::vector<HostOperand> operands);

}  // namespace gpu
