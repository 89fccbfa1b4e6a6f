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
// OutOfMemory comes after every retreat and names need and budget: a caller that can work in tiles does so then. After
// DeviceLost the next call opens the device anew; values that lay on it alone are gone.
//
// `donated` are tensors with values that nobody needs after the call: results are written in their place where sizes
// allow, and they have no value any more, however the call ends once it has begun to write. A training step gives its old
// parameters for the new ones. Their bytes must be theirs alone: no other tensor may share them. Such a call is seen
// through to its end from there on: a cancel counts before or after that.
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
    std::uint64_t recorded = 0;        // dispatches in them
    std::uint64_t replays = 0;         // evaluations that recorded none
    std::uint64_t submissions = 0;
    std::uint64_t dispatches = 0;
    std::uint64_t host_kernels = 0;
    std::uint64_t arena_bytes = 0;     // of the last plan
    std::uint64_t streamed = 0;        // evaluations whose weights did not fit together
    std::uint64_t retreats = 0;        // steps back that memory forced, see run/engine.h
    std::uint64_t uploads = 0;         // leaves sent to the device
    std::uint64_t evictions = 0;       // copies of leaves dropped for room
    std::int64_t wait_ns = 0;          // the host waited for the device
    std::int64_t host_kernel_ns = 0;   // and computed itself
};
EvaluationCounters evaluation_counters();

// What giving these tensors values would take of the device's memory, in bytes. Plans (and caches the plan), runs nothing.
struct MemoryForecast {
    std::uint64_t used = 0;       // counted on the device now
    std::uint64_t arena = 0;      // for values between steps; shared by all plans of a device
    std::uint64_t weights = 0;    // leaves that must be on the device, there already or not
    std::uint64_t outputs = 0;    // the tensors' own values
    std::uint64_t peak = 0;       // most bytes in use during the run
    std::uint64_t budget = 0;
    bool streams = false;         // the weights exceed the budget: they travel in parts, and `peak` is the budget at most
};
MemoryForecast forecast(const Tensors& tensors, const Tensors& donated = {});

// What the plan for these tensors does; planned as forecast() does.
struct PlanCost {
    std::size_t steps = 0, host_kernels = 0;   // host kernels among the steps
    double flop = 0, bytes = 0;                // multiplications and additions of products; traffic of all steps
};
PlanCost plan_cost(const Tensors& tensors);

}  // namespace gpu
