// Gives tensors their values: plans what is missing, reuses the plan for the same structure, runs it on the current device.
//
// Evaluations on one device follow one another; the function may be called from any thread and returns when the values
// are there. It polls the thread's CancelScope between segments of work.
#pragma once

#include <span>
#include <vector>

#include "gpu/graph/tensor.h"

namespace gpu {

// After the call every tensor has a value. Throws Error{OutOfMemory, DeviceLost, Numeric (HEDDLE_CHECK=nan), ...}, Cancelled.
//
// `donated` are tensors with values that nobody needs after the call: results are written in their place where sizes
// allow, and they have no value any more, however the call ends once it has begun to write. A training step gives its old
// parameters for the new ones. Their bytes must be theirs alone: no other tensor may share them. Such a call is seen through to its end: a cancel counts before or after it.
void evaluate(const Tensors& tensors, const Tensors& donated = {});

// The elements in row-major order, evaluated if need be. Floating types widen to float.
std::vector<float> to_floats(const Tensor& x);
std::vector<std::int32_t> to_ints(const Tensor& x);   // I32, U8, Bool
// The one element of a tensor that has just one.
double to_number(const Tensor& x);

// The raw elements in row-major order, in the tensor's own dtype. `into` has exactly element_count * size_of(dtype) bytes.
void read(const Tensor& x, std::span<std::byte> into);

struct EvaluationCounters {
    std::uint64_t evaluations = 0;
    std::uint64_t plans_made = 0;
    std::uint64_t plan_hits = 0;
    std::uint64_t recordings = 0;      // command lists recorded anew
    std::uint64_t replays = 0;         // evaluations that submitted recorded lists only
    std::uint64_t submissions = 0;
    std::uint64_t dispatches = 0;
    std::uint64_t host_kernels = 0;
    std::uint64_t arena_bytes = 0;     // of the last plan
};
EvaluationCounters evaluation_counters();

}  // namespace gpu
