#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/models/vae/tiles.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"

namespace nodes {
namespace {

struct VaeEncodeInpaint final : Node {
    VaeEncodeInpaint() : Node({.id = "vae.encode_inpaint", .version = 1, .title = "Encode for Inpainting", .category = "Inpaint",
                               .help = "Encodes pictures with a hole: what the mask chooses becomes neutral gray, and a mask at the latent's size "
                                       "tells the sampler to repaint it. For models that were trained for it, and for repainting from noise alone."}) {}

    In<Image>    image     {this, "image", "Pictures to encode, cut around the middle to whole latent cells"};
    In<Mask>     mask      {this, "mask", "White is repainted; stretched over the picture"};
    In<Vae>      vae       {this, "vae", "The autoencoder"};
    Param<int>   grow      {this, "grow", "How far the repainted part reaches beyond the hole, so that seams lie in what is repainted",
                            {.initial = 6, .min = 0, .max = 256, .unit = "px"}};
    Param<Color> background{this, "background", "What transparent parts are put on", {.initial = "#ffffff", .advanced = true}};
    Out<Latent>  latent    {this, "latent", "The latents, with their mask"};
    Out<Image>   masked    {this, "masked", "What was encoded"};

    void compute(Eval& ev) const override {
        const Autoencoder& model = *ev[vae].model;
        if (!model.can_encode()) ev.fail(vae, "expected an autoencoder with an encoder, got {}", model.summary());
        const Image rgb = widened(flattened(in_space(ev[image], ColorSpace::Srgb), ev[background]), 3);
        const std::int64_t f = model.format().factor, h = rgb.height() / f * f, w = rgb.width() / f * f, n = rgb.batch();
        if (h == 0 || w == 0) ev.fail(image, "expected sides of at least {} px, got {} x {}", f, rgb.width(), rgb.height());
        if (ev[mask].batch() != 1 && ev[mask].batch() != n) ev.fail(mask, "expected one mask or {}, one for each picture, got {}", n, ev[mask].batch());
        const auto cut = [&](const Tensor& map) {
            const std::int64_t top = (map.size(2) - h) / 2, left = (map.size(3) - w) / 2;
            return gpu::slice(gpu::slice(map, 2, top, top + h), 3, left, left + w);
        };
        const Tensor chosen = cut(gpu::resize(ev[mask].tensor, rgb.height(), rgb.width(), gpu::Filter::Bilinear));
        const Tensor hole = gpu::cast(gpu::less_equal(gpu::full({}, 0.5), chosen), gpu::Dtype::F32);      // [N or 1, 1, h, w]
        const Tensor pixels = gpu::lerp(gpu::clamp(cut(rgb.tensor), 0, 1), gpu::full({}, 0.5), hole);
        // A cell is repainted when any of its pixels is.
        const Tensor tiles = gpu::reshape(grown(hole, ev[grow]), {hole.size(0), 1, h / f, f, w / f, f});
        const Tensor cells = gpu::reshape(gpu::max(tiles, {3, 5}), {hole.size(0), 1, h / f, w / f});
        const Tensor mean = encode_in_tiles(model, pixels, {.progress = [&](auto done, auto total) { ev.progress(done, total); },
                                                            .warn = [&](const std::string& message) { ev.warn("{}", message); }}).mean;
        ev.set(latent, evaluated(make_latent(mean, model.format()).with_mask(cells)));
        ev.set(masked, evaluated(make_image(pixels)));
    }

    // White wherever a white pixel is at most `by` away along both axes.
    static Tensor grown(const Tensor& hole, int by) {
        if (by == 0) return hole;
        const std::int64_t side = 2 * by + 1;
        const Tensor row = gpu::conv2d(hole, gpu::ones({1, 1, 1, side}), {.pad = {0, by}});
        const Tensor both = gpu::conv2d(row, gpu::ones({1, 1, side, 1}), {.pad = {by, 0}});
        return gpu::cast(gpu::less_equal(gpu::full({}, 0.5), both), gpu::Dtype::F32);
    }
};

}  // namespace

REGISTER_NODE(vae_encode_inpaint, VaeEncodeInpaint)

}  // namespace nodes
