// Which directions of an autoencoder's latent its channels are, and how loud each is. Noise of a diffusion process is the same in every
// direction, so that what is louder is learned at more of its noise levels.
#pragma once

#include <vector>

#include "nodes/models/vae/kl.h"
#include "nodes/training/parameters.h"
#include "nodes/types/dataset.h"

namespace nodes {

struct LatentBasis {
    using Matrix = std::vector<double>;      // [C, C], row after row
    std::vector<double> centre;              // [C]
    Matrix to, from;                         // new = to (old - centre), old = from new + centre
    std::vector<double> log_variance;        // [C]: of the encoder's posterior, a mean over the dataset
};

// The basis in which latents of the dataset have mean 0 and, over all channels, variance 1. spectrum = 0 leaves channels as they are, each
// with deviation 1. Above 0 they become uncorrelated directions, loudest first, whose variance is the power `spectrum` of what a change by
// one deviation changes in the decoded picture (squared, by finite differences): at 1 noise in the latent is noise of one loudness in the
// picture, and fine detail is quiet as it is there (arXiv:2502.14831 shows that loud detail makes latents hard to diffuse). Evaluates.
LatentBasis latent_basis(const KlAutoencoder& network, const Dataset& dataset, double spectrum);

// Takes the change into the 1x1 convolutions on the two sides of the latent (keys.h). The posterior's variances follow to first order in
// their logarithms: exactly where `to` is diagonal.
void change_latent_basis(NamedTensors& weights, const LatentBasis& basis);

}  // namespace nodes
