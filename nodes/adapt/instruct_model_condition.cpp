#include "gpu/run/evaluate.h"
#include "nodes/adapt/input_channels.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/model.h"
#include "nodes/types/vae.h"

namespace nodes {
namespace {

// InstructPix2Pix (arXiv:2211.09800): eight channels, the latent and that of the picture to edit, which is not scaled.
struct InstructModelCondition final : Node {
    InstructModelCondition()
        : Node({.id = "instruct.model_condition", .version = 1, .title = "Edit by an Instruction Model", .category = "Adapt",
                .help = "Shows a model of the InstructPix2Pix kind (eight input channels) the picture that the prompt tells how to change. Both halves of "
                        "guidance see the picture: the paper's image guidance of 1."}) {}

    In<Model>   model {this, "model", "A model that edits by instructions"};
    In<Vae>     vae   {this, "vae", "The autoencoder that belongs to it"};
    In<Image>   image {this, "image", "The picture to change; sides that no latent fits are cut down to the next that does"};
    Out<Model>  out   {this, "model", "The model, which sees the picture at every step"};
    Out<Latent> latent{this, "latent", "The picture, encoded: its size is that of the result"};

    void compute(Eval& ev) const override {
        const LatentFormat& format = ev[vae]->format();
        const ModelInfo& info = ev[model].info();
        if (!ev[vae]->can_encode()) ev.fail(vae, gpu::ErrorCode::InvalidGraph, "expected an autoencoder that encodes, got {}", ev[vae]->summary());
        if (info.in_channels != 2 * format.channels)
            ev.fail(model, gpu::ErrorCode::InvalidGraph, "expected a model of {} input channels, got {} of {}", 2 * format.channels, ev[model].summary(), info.in_channels);
        const Image picture = in_space(ev[image], ColorSpace::Srgb);
        const std::int64_t height = picture.height() / format.factor * format.factor, width = picture.width() / format.factor * format.factor;
        if (height == 0 || width == 0) ev.fail(image, gpu::ErrorCode::InvalidGraph, "expected sides of {} pixels and more, got {} x {}", format.factor, picture.width(), picture.height());
        Tensor color = picture.color();
        if (color.size(1) == 1) color = gpu::broadcast_to(color, {color.size(0), 3, color.size(2), color.size(3)});
        const Latent encoded = make_latent(ev[vae]->encode(gpu::slice(gpu::slice(color, 2, 0, height), 3, 0, width)), format);
        const Tensor channels = encoded.tensor / format.scale + format.shift;
        gpu::evaluate({channels, encoded.tensor});
        ev.set(out, ev[model].with(std::make_shared<const InputChannels>(channels, "a picture to change")));
        ev.set(latent, encoded);
    }
};

}  // namespace

REGISTER_NODE(instruct_model_condition, InstructModelCondition)

}  // namespace nodes
