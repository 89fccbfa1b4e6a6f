// Sockets and parameters that all trainers of diffusion networks have.
#pragma once

#include "nodes/core/node.h"
#include "nodes/training/diffusion.h"
#include "nodes/types/text.h"

namespace nodes {

struct DiffusionParams {
    explicit DiffusionParams(Node* node)
        : examples{node, "examples", "Latents with their captions"},
          prior{node, "prior", "Examples that the network shall go on to draw as it did: pictures of its own of the same kind (prior preservation, arXiv:2208.12242)", {.optional = true}},
          loss{node, "loss", "Of what the network says and should say, in the place of a square; min_snr and masks weigh it", {.optional = true}},
          vae{node, "vae", "For samples while training", {.optional = true}},
          min_snr{node, "min_snr", "Gamma of min-SNR weights (arXiv:2303.09556); 0: none", {.initial = 0, .min = 0, .max = 1000}},
          huber{node, "huber", "Where the loss turns from a square to a line; 0: a square", {.initial = 0, .min = 0, .max = 100, .advanced = true}},
          drop{node, "drop_text", "Share of visits without their caption, for classifier-free guidance", {.initial = 0.1, .min = 0, .max = 1}},
          prior_weight{node, "prior_weight", "Weight of the loss of the prior's examples", {.initial = 1, .min = 0, .max = 1000}},
          outside{node, "mask_outside", "Weight of the loss outside the examples' masks; 1: masks do nothing", {.initial = 0, .min = 0, .max = 1}},
          even{node, "mask_even", "Each masked example's weights are divided by their mean: a small subject is as loud as a big one", {.initial = false, .advanced = true}},
          recompute{node, "recompute", "Each block of the network is computed a second time on the way back in place of being kept: less memory, a third more time",
                    {.initial = false, .advanced = true}} {}

    In<Examples>  examples, prior;
    In<LossRef>   loss;
    In<Vae>       vae;
    Param<double> min_snr, huber, drop, prior_weight, outside;
    Param<bool>   even, recompute;

    // Everything but what moves.
    DiffusionTraining training(Eval& ev) const {
        DiffusionTraining t{.examples = ev[examples], .moves = {},
                            .loss = {.min_snr = ev[min_snr], .huber = ev[huber], .drop_text = ev[drop], .prior = ev[prior_weight], .outside = ev[outside], .even = ev[even]}, .prior = {}, .word = {}, .vae = {}, .recompute = ev[recompute]};
        if (ev.has(prior)) t.prior = ev[prior];
        if (ev.has(loss)) t.loss.criterion = ev[loss];
        if (ev.has(vae)) t.vae = ev[vae];
        return t;
    }
};

// Parameters of trainers that learn a word.
struct WordParams {
    explicit WordParams(Node* node)
        : encoder{node, "encoder", "The text encoder that shall know the word; its own weights stay"},
          word{node, "word", "What prompts call it", {.initial = "<new1>"}},
          like{node, "like", "Words whose vectors it starts from", {.initial = "object"}},
          vectors{node, "vectors", "How many vectors stand for it", {.initial = 1, .min = 1, .max = 64}},
          templates{node, "templates", "What examples are told, one a line: {} is the word, [caption] the example's own caption", {.initial = "{}\na picture of {}", .multiline = true}} {}

    In<Encoder>        encoder;
    Param<std::string> word, like;
    Param<int>         vectors;
    Param<std::string> templates;

    LearnedWord learned(Eval& ev) const {
        return {.encoder = ev[encoder], .name = ev[word], .start = start_vectors(ev[encoder], ev[like], ev[vectors]), .templates = text_lines(ev[templates])};
    }
};

}  // namespace nodes
