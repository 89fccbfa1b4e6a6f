// Training of a text-to-image diffusion network in latents (DDPM, arXiv:2006.11239; latent diffusion, arXiv:2112.10752): of all of it, of a
// change of it, of a word that it is told, or of several of these together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nodes/training/movement.h"
#include "nodes/types/encoder.h"
#include "nodes/types/examples.h"
#include "nodes/types/loss.h"
#include "nodes/types/objective.h"
#include "nodes/types/vae.h"

namespace nodes {

struct DiffusionLoss {
    double min_snr = 0;           // gamma of min-SNR weights (arXiv:2303.09556); 0: none
    double huber = 0;             // where the pseudo-Huber loss turns from square to line; 0: the square
    double drop_text = 0.1;       // share of visits with the empty caption, for classifier-free guidance (arXiv:2207.12598)
    double prior = 1;             // weight of the prior's examples
    double outside = 0;           // weight where an example's mask is 0; where it is 1 the weight is 1
    LossRef criterion;            // of what the network says and should say, in the place of `huber`; the weights above are its weight
    bool even = false;            // weights of an example with a mask are divided by their mean, so that a small subject is as loud as a big one
};

// A word whose vectors are learned (textual inversion, arXiv:2208.01618; the modifier token of Custom Diffusion, arXiv:2212.04488).
struct LearnedWord {
    Encoder encoder;                        // with one text tower, which stays as it is
    std::string name;                       // that prompts call it by
    std::vector<std::vector<float>> start;  // one row a vector
    // What examples are told: "a picture of {}", {} being the word, [caption] the example's own caption. One is drawn at each visit.
    std::vector<std::string> templates;
};

// `count` vectors to start from: the table's rows of the words of `like`, over again where they are too few.
std::vector<std::vector<float>> start_vectors(const Encoder& encoder, const std::string& like, int count);

struct DiffusionTraining {
    Examples examples;
    MovementRef moves;
    DiffusionLoss loss;
    // Examples that the network shall go on to draw as it did (DreamBooth's prior preservation, arXiv:2208.12242): one beside each visit.
    std::optional<Examples> prior;
    std::optional<LearnedWord> word;
    std::optional<Vae> vae;                 // for samples
    bool recompute = false;                 // the backward pass computes each block of the network again in place of keeping what is in it
};

// What a UNet of this configuration is trained to be on these examples.
ModelInfo training_info(const UnetConfig& config, const Examples& examples, PredictionType prediction, const NoiseTableOptions& noise);

// A UNet with these channels a level, `blocks` ResBlocks each on the way down (one more on the way up), each with a transformer where the
// level attends; heads as SD 1.x has them.
UnetConfig small_unet_config(const std::vector<int>& channels, const std::vector<bool>& attends, int blocks, int latent_channels, int context_width);

// The result is what `moves` gives, and an Encoder that knows the word. Throws InvalidGraph.
ObjectiveRef diffusion_objective(DiffusionTraining training);

}  // namespace nodes
