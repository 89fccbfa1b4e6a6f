// What a patched model says of x_t under some conditionings: areas, masks, weights and time ranges resolved, rows that can go
// together in one call of the network.
#pragma once

#include <vector>

#include "nodes/types/conditioning.h"
#include "nodes/types/model.h"

namespace nodes {

class AttentionRecord;

// What a record heard of the first entry of the first conditioning in a step.
struct AttentionHeard {
    const AttentionRecord* record = nullptr;      // one of the model's patches
    Tensor maps;                                  // F32 [N, L, h, w]; empty: the entry does not apply at this step, or no layer is listened to
};

struct PredictOptions {
    StepInfo at{};
    double scale = 1;                      // of guidance, for models that have it embedded
    std::size_t negative = SIZE_MAX;       // which of the conditionings is the negative one, if any
    AttentionHeard* heard = nullptr;       // where to put what a record hears; null: nothing listens
};

// For each conditioning the network's raw output [N, C, h, w] for x [N, C, h, w]. Predictions of several entries are averaged
// by weight, cell by cell; where none applies the output is 0. Lazy.
// Throws Error{InvalidGraph} for conditionings that do not fit the model, or without entries.
gpu::Tensors predict(const Model& model, const std::vector<const Conditioning*>& conditionings, const Tensor& x, const PredictOptions& options);

// The micro-conditioning of a picture of height x width pixels as numbers, [1, count]: 6 for SDXL, 5 for its refiner.
gpu::Tensor size_numbers(const SizeCondition& size, int count, double height, double width);

// The embedding of a guidance scale that LCM's networks read (arXiv:2310.04378, section 4.2): [1, width] of scale - 1.
Tensor guidance_embedding(double scale, int width);

}  // namespace nodes
