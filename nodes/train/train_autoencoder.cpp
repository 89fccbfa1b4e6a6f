#include "nodes/core/node.h"
#include "nodes/training/autoencoder.h"

namespace nodes {
namespace {

struct TrainAutoencoder final : Node {
    TrainAutoencoder() : Node({.id = "train.autoencoder", .version = 1, .title = "Train Autoencoder", .category = "Train",
                               .help = "A KL autoencoder (arXiv:2112.10752) as something to train: drawn anew in these sizes, or one that is there and moved on."}) {}

    In<Dataset>        dataset   {this, "dataset", "Pictures to train on"};
    In<Dataset>        validation{this, "validation", "Pictures that are held back, for samples and the signal-to-noise ratio", {.optional = true}};
    In<Vae>            start     {this, "start", "An autoencoder to go on with, in place of the sizes below", {.optional = true}};
    In<LossRef>        loss      {this, "loss", "Of results and pictures, in the place of the absolute, squared and perceptual difference", {.optional = true}};
    In<Vision>         judge     {this, "judge", "An image encoder for the perceptual term", {.optional = true}};
    Param<std::string> widths    {this, "widths", "Channels of the levels, from the pictures' resolution down; each further level halves it", {.initial = "24,48,96,128"}};
    Param<int>         channels  {this, "channels", "Of the latent", {.initial = 16, .min = 1, .max = 64}};
    Param<int>         blocks    {this, "blocks", "ResBlocks a level on the way down, one more on the way up", {.initial = 1, .min = 1, .max = 4}};
    Param<double>      absolute  {this, "absolute", "Weight of the mean absolute difference", {.initial = 1, .min = 0, .max = 1000}};
    Param<double>      square    {this, "square", "Weight of the mean squared difference", {.initial = 1, .min = 0, .max = 1000}};
    Param<double>      kl        {this, "kl", "Weight of the latent's divergence from a normal distribution, a mean over its elements", {.initial = 1e-5, .min = 0, .max = 10, .decimals = 8}};
    Param<double>      perceptual{this, "perceptual", "Weight of the difference that the judge sees", {.initial = 0.1, .min = 0, .max = 1000, .advanced = true}};
    Param<double>      adversarial{this, "adversarial", "Weight of a patch discriminator's hinge loss (arXiv:2012.09841), which learns to tell the results from the pictures: sharper detail; 0: none", {.initial = 0, .min = 0, .max = 1000}};
    Param<bool>        adaptive  {this, "adversarial_adaptive", "Times the ratio of the other terms' gradient to this one's at the decoder's last layer, so that neither drowns the other", {.initial = true, .advanced = true}};
    Param<int>         adversarial_start{this, "adversarial_start", "Visits of pictures before the discriminator takes part; let the autoencoder learn the coarse first", {.initial = 50000, .min = 0, .max = 2000000000}};
    Param<int>         critic_width{this, "discriminator_width", "Channels of the discriminator's first layer", {.initial = 64, .min = 1, .max = 512, .advanced = true}};
    Param<int>         critic_layers{this, "discriminator_layers", "Layers that halve the map: more of them judge larger patches", {.initial = 3, .min = 1, .max = 6, .advanced = true}};
    Param<double>      critic_rate{this, "discriminator_rate", "The discriminator's learning rate, as a share of the autoencoder's", {.initial = 1, .min = 0, .max = 100, .advanced = true}};
    Param<double>      spectrum  {this, "spectrum", "0: each channel of the latent has deviation 1. Above: channels are uncorrelated directions, as loud as this power of what they change in the picture, so that a diffusion network learns coarse structure before detail (arXiv:2502.14831)",
                                  {.initial = 0, .min = 0, .max = 1, .advanced = true}};
    Param<bool>        decoder   {this, "decoder_only", "The encoder stays as it is, so that latents keep their meaning", {.initial = false, .advanced = true}};
    Param<Seed>        seed      {this, "seed", "Of the weights that are drawn", {}};
    Out<ObjectiveRef>  objective {this, "objective", "To train"};

    void compute(Eval& ev) const override {
        AutoencoderTraining t{.dataset = ev[dataset], .loss = {.absolute = ev[absolute], .square = ev[square], .kl = ev[kl], .perceptual = ev[perceptual], .adversarial = ev[adversarial], .adaptive = ev[adaptive],
                                       .adversarial_start = static_cast<std::uint64_t>(ev[adversarial_start]),
                                       .discriminator = {.width = ev[critic_width], .layers = ev[critic_layers]}, .discriminator_rate = ev[critic_rate]},
                              .spectrum = ev[spectrum], .seed = ev[seed], .decoder_only = ev[decoder]};
        if (ev.has(validation)) t.validation = ev[validation];
        if (ev.has(loss)) t.loss.criterion = ev[loss];
        if (ev.has(judge)) t.judge = ev[judge];
        if (ev.has(start)) {
            t.start = std::dynamic_pointer_cast<const KlAutoencoder>(ev[start].model);
            if (!t.start || t.start->weights().empty()) ev.fail(start, "expected a KL autoencoder with its weights, got {}", ev[start]->summary());
            t.config = t.start->config();
        } else {
            t.config = vae_config(level_widths(ev), ev[channels], ev[blocks]);
            t.config.quant_conv = t.config.post_quant_conv = true;
        }
        ev.set(objective, autoencoder_objective(std::move(t)));
    }

private:
    std::vector<int> level_widths(Eval& ev) const {
        std::vector<int> list;
        for (const QString& part : QString::fromStdString(ev[widths]).split(',')) {
            bool number = false;
            list.push_back(part.trimmed().toInt(&number));
            if (!number || list.back() < 1 || list.back() > 4096 || list.size() > 8)
                ev.fail(widths, "expected up to 8 numbers from 1 to 4096 with commas between, got \"{}\"", ev[widths]);
        }
        return list;
    }
};

}  // namespace

REGISTER_NODE(train_autoencoder, TrainAutoencoder)

}  // namespace nodes
