#include "gpu/run/evaluate.h"
#include "nodes/adapt/input_channels.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"
#include "nodes/types/model.h"
#include "nodes/types/vae.h"

namespace nodes {
namespace {

// The inpainting models of Stable Diffusion (arXiv:2112.10752, section 4.5) read nine channels: latent, mask, latent of the picture
// with a grey hole.
struct InpaintModelCondition final : Node {
    InpaintModelCondition()
        : Node({.id = "inpaint.model_condition", .version = 1, .title = "Inpaint with an Inpainting Model", .category = "Adapt",
                .help = "Shows an inpainting model (of nine input channels) the picture and what to repaint. Sides that no latent fits are cut down "
                        "to the next that does."}) {}

    In<Model>   model {this, "model", "An inpainting model"};
    In<Vae>     vae   {this, "vae", "The autoencoder that belongs to it"};
    In<Image>   image {this, "image", "The picture"};
    In<Mask>    mask  {this, "mask", "White is repainted, black is kept; halves and more count as white"};
    Out<Model>  out   {this, "model", "The model, which sees picture and mask at every step"};
    Out<Latent> latent{this, "latent", "The whole picture, encoded: what sampling starts from"};

    void compute(Eval& ev) const override {
        const LatentFormat& format = ev[vae]->format();
        const ModelInfo& info = ev[model].info();
        if (!ev[vae]->can_encode()) ev.fail(vae, gpu::ErrorCode::InvalidGraph, "expected an autoencoder that encodes, got {}", ev[vae]->summary());
        if (info.in_channels != 2 * format.channels + 1)
            ev.fail(model, gpu::ErrorCode::InvalidGraph, "expected an inpainting model of {} input channels, got {} of {}", 2 * format.channels + 1, ev[model].summary(),
                    info.in_channels);
        const Image picture = in_space(ev[image], ColorSpace::Srgb);
        const std::int64_t height = picture.height() / format.factor * format.factor, width = picture.width() / format.factor * format.factor;
        if (height == 0 || width == 0) ev.fail(image, gpu::ErrorCode::InvalidGraph, "expected sides of {} pixels and more, got {} x {}", format.factor, picture.width(), picture.height());
        Tensor color = picture.color();
        if (color.size(1) == 1) color = gpu::broadcast_to(color, {color.size(0), 3, color.size(2), color.size(3)});
        color = gpu::slice(gpu::slice(color, 2, 0, height), 3, 0, width);                                   // [N, 3, H, W]
        Tensor hole = ev[mask].tensor;
        if (hole.size(2) != picture.height() || hole.size(3) != picture.width()) hole = gpu::resize(hole, picture.height(), picture.width(), gpu::Filter::Bilinear);
        hole = gpu::slice(gpu::slice(hole, 2, 0, height), 3, 0, width);
        hole = gpu::cast(gpu::less_equal(gpu::full_like(hole, 0.5), hole), gpu::Dtype::F32);                // 1 where it is repainted
        if (hole.size(0) != 1 && color.size(0) != 1 && hole.size(0) != color.size(0))
            ev.fail(mask, gpu::ErrorCode::InvalidGraph, "expected 1 mask or as many as pictures, {}, got {}", color.size(0), hole.size(0));
        const Tensor cells = gpu::resize(hole, height / format.factor, width / format.factor, gpu::Filter::Nearest);
        const Tensor kept = ev[vae]->encode(color * (1.0 - hole) + 0.5 * hole);                             // [N, 4, h, w]
        const std::int64_t rows = kept.size(0);
        const Tensor channels = gpu::concat({gpu::broadcast_to(cells, {rows, 1, cells.size(2), cells.size(3)}), kept}, 1);
        const Latent start = make_latent(ev[vae]->encode(color), format);
        gpu::evaluate({channels, start.tensor});
        ev.set(out, ev[model].with(std::make_shared<const InputChannels>(channels, "a picture with a hole")));
        ev.set(latent, start);
    }
};

}  // namespace

REGISTER_NODE(inpaint_model_condition, InpaintModelCondition)

}  // namespace nodes
