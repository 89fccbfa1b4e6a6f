// Numbers of a training step (a learning rate, a bias correction) as tensors that keep one plan for all steps.
#pragma once

#include <string>

#include "gpu/graph/tensor.h"

namespace gpu::train {

// An F32 tensor of `rank` axes of length 1. The value travels as a push constant. Numbers of different roles stay apart in
// the tensor graph even when they happen to be equal, as 1 - 0.9 and the first bias correction of Adam are: otherwise that
// step would have a graph, and a plan, of its own.
Tensor number(const std::string& role, double value, int rank);

}  // namespace gpu::train
