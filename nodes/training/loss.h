// Terms of losses, and what they are put together from.
#pragma once

#include <utility>
#include <vector>

#include "nodes/types/loss.h"
#include "nodes/types/mask.h"
#include "nodes/types/vision.h"

namespace nodes {

enum class Difference {
    Square,
    Absolute,
    Huber,         // pseudo-Huber, 2 c (sqrt(d^2 + c^2) - c): d^2 for small d, 2 c |d| for large (arXiv:2403.16728)
    LogCosh,
};
// The mean over elements. `turn` is Huber's c.
LossRef difference_loss(Difference kind, double turn);
// The mean squared difference of the states that an image encoder has of two pictures (arXiv:1801.03924's idea): of pictures alone.
LossRef perceptual_loss(const Vision& judge);
// Another loss of both sides, whose `factor` x `factor` cells are averaged first: of what is coarse (the multiscale loss of arXiv:2301.11093).
LossRef coarse_loss(LossRef of, int factor);
// Another loss, whose weights are multiplied by a map that is resized to its sides.
LossRef weighted_loss(LossRef of, const Mask& map);
// Others, times their weights.
LossRef sum_loss(std::vector<std::pair<double, LossRef>> terms);

// d^2 for small d, a line for large. `squared` is d^2.
Tensor pseudo_huber(const Tensor& squared, double turn);

}  // namespace nodes
