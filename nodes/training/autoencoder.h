// Training of the KL autoencoder of latent diffusion (arXiv:2112.10752, section 3.1 and appendix G), with a discriminator beside it where that is wanted
// (arXiv:2012.09841, section 3.1).
#pragma once

#include <memory>
#include <optional>

#include "nodes/models/vae/kl.h"
#include "nodes/training/discriminator.h"
#include "nodes/training/parameters.h"
#include "nodes/types/loss.h"
#include "nodes/types/objective.h"
#include "nodes/types/vision.h"

namespace nodes {

struct AutoencoderLoss {
    double absolute = 1;          // weight of the mean absolute difference, of values in -1..1
    double square = 0;            // of the mean squared difference
    double kl = 1e-6;             // of the mean divergence from a normal distribution, a latent element
    double perceptual = 0;        // of the mean squared difference of an image encoder's states (arXiv:1801.03924's idea)
    LossRef criterion;            // of results and pictures, in the place of the three that compare them
    double adversarial = 0;       // of the discriminator's hinge loss; 0: no discriminator
    // With `adaptive` times the ratio of both terms' gradients at the decoder's last layer, so that neither drowns the other.
    bool adaptive = true;
    std::uint64_t adversarial_start = 0;      // visits of pictures before the discriminator takes part: until then its answers are noise
    DiscriminatorConfig discriminator;
    double discriminator_rate = 1;            // of the schedule's rate
};

struct AutoencoderTraining {
    Dataset dataset;
    std::optional<Dataset> validation;      // pictures that are not trained on, for samples and PSNR
    VaeConfig config;
    AutoencoderLoss loss;
    double spectrum = 0;                    // of the latents that come out (latent_basis.h)
    std::uint64_t seed = 0;                 // of weights that are drawn
    std::shared_ptr<const KlAutoencoder> start;      // whose weights are moved on; empty: drawn
    bool decoder_only = false;              // the encoder stays as it is: latents keep their meaning
    std::optional<Vision> judge;            // for the perceptual term
};

// The result is an autoencoder whose latents have mean 0 and variance 1 over the dataset, in each channel or over all of them as `spectrum`
// says: the 1x1 convolutions around the latent take the numbers in, so that its scale is 1 for whoever reads the file.
ObjectiveRef autoencoder_objective(AutoencoderTraining training);

// Peak signal-to-noise ratio in dB of pictures in 0..1 [N, 3, H, W], the mean over pictures. Evaluates.
double mean_psnr(const Tensor& a, const Tensor& b);

}  // namespace nodes
