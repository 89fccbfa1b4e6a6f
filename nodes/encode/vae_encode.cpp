#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/models/vae/tiles.h"
#include "nodes/sampling/noise.h"
#include "nodes/types/image.h"
#include "nodes/types/vae.h"

namespace nodes {
namespace {

enum class Fit { Crop, Pad, Exact };
enum class Mode { Mean, Sample };

constexpr std::uint32_t noise_stream = 0x766165;      // of no other noise with the same seed

struct VaeEncode final : Node {
    VaeEncode() : Node({.id = "vae.encode", .version = 1, .title = "Encode", .category = "Encode",
                        .help = "Turns pictures into latents. Colours are taken as sRGB and cut to 0..1."}) {}

    In<Image>    image     {this, "image", "Pictures to encode"};
    In<Vae>      vae       {this, "vae", "The autoencoder"};
    Param<Fit>   fit       {this, "fit", "Sides that are no multiple of a latent cell (8 px): cut around the middle, repeat the last "
                                         "row and column, or fail",
                            {.initial = Fit::Crop, .names = {"crop", "pad", "exact"}, .advanced = true}};
    Param<Color> background{this, "background", "What transparent parts are put on", {.initial = "#ffffff", .advanced = true}};
    Param<Mode>  mode      {this, "mode", "The mean of what the autoencoder makes of a picture, or a sample around it, as training takes it "
                                          "(autoencoders without a spread give the mean)",
                            {.initial = Mode::Mean, .names = {"mean", "sample"}, .advanced = true}};
    Param<Seed>  seed      {this, "seed", "Of the sample", {.initial = 0, .advanced = true}};
    Param<Tiles> tiles     {this, "tiles", "Works in tiles: when memory does not suffice for the whole, never, or always",
                            {.initial = Tiles::Auto, .names = {"auto", "off", "on"}, .advanced = true}};
    Param<int>   tile      {this, "tile", "Side of a tile", {.initial = 512, .min = 64, .max = 8192, .step = 64, .unit = "px", .advanced = true}};
    Param<int>   overlap   {this, "overlap", "How far neighbouring tiles fade into each other",
                            {.initial = 64, .min = 8, .max = 4096, .step = 8, .unit = "px", .advanced = true}};
    Out<Latent>  latent    {this, "latent", "The latents"};

    void compute(Eval& ev) const override {
        const Autoencoder& model = *ev[vae].model;
        if (!model.can_encode()) ev.fail(vae, "expected an autoencoder with an encoder, got {}", model.summary());
        const Image rgb = widened(flattened(in_space(ev[image], ColorSpace::Srgb), ev[background]), 3);
        const Tensor pixels = fitted(ev, gpu::clamp(rgb.tensor, 0, 1), model.format().factor);
        const Autoencoder::Posterior posterior = encode_in_tiles(model, pixels,
                                                                 {.tiles = ev[tiles], .side = ev[tile], .overlap = ev[overlap],
                                                                  .progress = [&](auto done, auto total) { ev.progress(done, total); },
                                                                  .warn = [&](const std::string& message) { ev.warn("{}", message); }});
        const bool sample = ev[mode] == Mode::Sample && posterior.deviation;
        ev.set(latent, evaluated(make_latent(sample ? posterior.sample(noise(NoiseSource::Heddle, posterior.mean.shape(), ev[seed], noise_stream))
                                                    : posterior.mean,
                                             model.format())));
    }

    Tensor fitted(Eval& ev, const Tensor& pixels, std::int64_t cell) const {
        const std::int64_t h = pixels.size(2), w = pixels.size(3);
        if (h % cell == 0 && w % cell == 0) return pixels;
        const std::int64_t fh = h / cell * cell, fw = w / cell * cell;
        if (ev[fit] == Fit::Exact || (ev[fit] == Fit::Crop && (fh == 0 || fw == 0)))
            ev.fail(image, "expected sides that are multiples of {} px, got {} x {}", cell, w, h);
        if (ev[fit] == Fit::Pad)
            return gpu::pad2d(pixels, 0, static_cast<int>((cell - w % cell) % cell), 0, static_cast<int>((cell - h % cell) % cell),
                              gpu::PadMode::Replicate);
        ev.warn("{} x {} pixels were cut to {} x {}, multiples of {}", w, h, fw, fh, cell);
        const std::int64_t top = (h - fh) / 2, left = (w - fw) / 2;
        return gpu::slice(gpu::slice(pixels, 2, top, top + fh), 3, left, left + fw);
    }
};

}  // namespace

REGISTER_NODE(vae_encode, VaeEncode)

}  // namespace nodes
