#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/vae.h"

namespace nodes {
namespace {

enum class Fit { Crop, Pad, Exact };

struct VaeEncode final : Node {
    VaeEncode() : Node({.id = "vae.encode", .version = 1, .title = "Encode", .category = "Encode",
                        .help = "Turns pictures into latents. Colours are taken as sRGB and cut to 0..1."}) {}

    In<Image>    image     {this, "image", "Pictures to encode"};
    In<Vae>      vae       {this, "vae", "The autoencoder"};
    Param<Fit>   fit       {this, "fit", "Sides that are no multiple of a latent cell (8 px): cut around the middle, repeat the last "
                                         "row and column, or fail",
                            {.initial = Fit::Crop, .names = {"crop", "pad", "exact"}, .advanced = true}};
    Param<Color> background{this, "background", "What transparent parts are put on", {.initial = "#ffffff", .advanced = true}};
    Out<Latent>  latent    {this, "latent", "The latents"};

    void compute(Eval& ev) const override {
        const Autoencoder& model = *ev[vae].model;
        if (!model.can_encode()) ev.fail(vae, "expected an autoencoder with an encoder, got {}", model.summary());
        const Image rgb = widened(flattened(in_space(ev[image], ColorSpace::Srgb), ev[background]), 3);
        const Tensor pixels = fitted(ev, gpu::clamp(rgb.tensor, 0, 1), model.format().factor);
        ev.set(latent, evaluated(make_latent(model.encode(pixels), model.format())));
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
