// Where a network looks for each token of the prompt: its cross-attention, averaged over heads and layers (DAAM,
// arXiv:2210.04885, section 3).
#pragma once

#include "nodes/types/conditioning.h"
#include "nodes/types/model.h"

namespace nodes {

// softmax(q k^T / sqrt(d)) of every cross-attention layer, each brought to the latent's size: F32 [N, L, h, w] for x [N, C, h, w]
// and an entry of L tokens. The scores of a cell sum to 1 over the tokens, where no patch adds tokens of its own. Attention never
// stores its scores, so they are computed beside it from the same queries and keys. Lazy.
// Throws Error{InvalidGraph} for an entry that does not fit the model, and for a network without cross-attention.
Tensor attention_maps(const Model& model, const ConditioningEntry& entry, const Tensor& x, const StepInfo& at);

}  // namespace nodes
