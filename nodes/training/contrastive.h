// Contrastive training of a text and an image encoder (CLIP, arXiv:2103.00020, section 2.3).
#pragma once

#include <memory>
#include <optional>

#include "nodes/models/clip/text.h"
#include "nodes/models/clip/tokenizer.h"
#include "nodes/models/clip/vision.h"
#include "nodes/types/objective.h"

namespace nodes {

struct ContrastiveTraining {
    Dataset dataset;                        // pictures of the vision tower's size, with captions
    std::optional<Dataset> validation;      // what is not trained on, for the metric
    std::shared_ptr<const ClipTokenizer> tokenizer;
    ClipTextConfig text;                    // vocabulary and eos follow from the tokenizer
    ClipVisionConfig vision;
    double temperature = 0.07;              // at the start; it is trained, down to 0.01
    std::uint64_t seed = 0;                 // of the weights
};

// The result is an Encoder and a Vision. Parameters are named as in Hugging Face's CLIPModel.
ObjectiveRef contrastive_objective(ContrastiveTraining training);

}  // namespace nodes
