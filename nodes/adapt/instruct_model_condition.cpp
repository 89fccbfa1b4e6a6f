#include "gpu/base/format.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/adapt/input_channels.h"
#include "nodes/core/node.h"
#include "nodes/types/conditioning.h"
#include "nodes/types/image.h"
#include "nodes/types/model.h"
#include "nodes/types/vae.h"

namespace nodes {
namespace {

// Guidance by the picture beside that by the text: equation 3 of the paper.
class PictureGuidance final : public StepPatch {
public:
    explicit PictureGuidance(double scale) : scale_(scale) {}
    std::string summary() const override { return gpu::format("guidance by the picture at {}", scale_); }
    // The negative prompt without the picture.
    std::vector<Conditioning> conditionings(const Conditioning& positive, const Conditioning* negative) const override {
        Conditioning blind = negative ? *negative : positive;
        for (ConditioningEntry& entry : blind.entries) entry.blind = true;
        return {blind};
    }
    // e(no text, no picture) + picture (e(no text) - e(no text, no picture)) + text (e - e(no text))
    std::optional<Tensor> guide(const GuidanceInput& in) const override {
        const Tensor &blind = in.others[0], &seeing = in.negative ? in.negative : in.positive;
        const Tensor towards_picture = blind + (seeing - blind) * scale_;
        return in.negative ? towards_picture + (in.positive - in.negative) * in.scale : towards_picture;
    }

private:
    double scale_;
};

// InstructPix2Pix (arXiv:2211.09800): eight channels, the latent and that of the picture to edit, which is not scaled.
struct InstructModelCondition final : Node {
    InstructModelCondition()
        : Node({.id = "instruct.model_condition", .version = 2, .title = "Edit by an Instruction Model", .category = "Adapt",
                .help = "Shows a model of the InstructPix2Pix kind (eight input channels) the picture that the prompt tells how to change."}) {}

    In<Model>   model {this, "model", "A model that edits by instructions"};
    In<Vae>     vae   {this, "vae", "The autoencoder that belongs to it"};
    In<Image>   image {this, "image", "The picture to change; sides that no latent fits are cut down to the next that does"};
    Param<double> guidance{this, "guidance", "By the picture: above 1 the result stays closer to it, at the cost of one more prediction a step. The sampler's guidance is "
                                             "that by the text; the paper advises 1.2 to 1.5 and 5 to 10",
                           {.initial = 1.5, .min = 0, .max = 20, .step = 0.1}};
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
        Model seeing = ev[model].with(std::make_shared<const InputChannels>(channels, "a picture to change"));
        if (ev[guidance] != 1) seeing = seeing.with(std::make_shared<const PictureGuidance>(ev[guidance]));
        ev.set(out, seeing);
        ev.set(latent, encoded);
    }

    // Version 1 had no guidance by the picture.
    QJsonObject upgrade(QJsonObject params, int from) const override {
        if (from < 2 && !params.contains("guidance")) params["guidance"] = 1;
        return params;
    }
};

}  // namespace

REGISTER_NODE(instruct_model_condition, InstructModelCondition)

}  // namespace nodes
