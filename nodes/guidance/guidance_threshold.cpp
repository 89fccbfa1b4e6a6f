// Dynamic thresholding: Saharia et al., "Photorealistic Text-to-Image Diffusion Models" (Imagen), arXiv:2205.11487, section 2.3.
#include <cmath>

#include "gpu/base/format.h"
#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/model.h"

namespace nodes {
namespace {

enum class Way { Mimic, Clip };

// The value that a share of the elements [N, C, M] of each channel does not exceed, interpolated: [N, C, 1].
Tensor quantile(const Tensor& x, double share) {
    const double at = share * static_cast<double>(x.size(2) - 1);
    const auto below = static_cast<std::int64_t>(at), above = std::min(below + 1, x.size(2) - 1);
    const Tensor sorted = gpu::sort(x);
    return gpu::lerp(gpu::slice(sorted, 2, below, below + 1), gpu::slice(sorted, 2, above, above + 1), at - static_cast<double>(below));
}

class Threshold final : public StepPatch {
public:
    Threshold(Way way, double mimic, double share) : way_(way), mimic_(mimic), share_(share) {}
    std::string summary() const override {
        return way_ == Way::Mimic ? gpu::format("dynamic threshold like guidance {}", mimic_) : gpu::format("dynamic threshold at {}", share_);
    }
    Tensor guided(const GuidanceInput& in, const Tensor& output) const override { return way_ == Way::Mimic ? mimicked(in, output) : clipped(in, output); }

private:
    // Strong guidance with the range of values that a weaker one has, channel by channel around their means.
    Tensor mimicked(const GuidanceInput& in, const Tensor& output) const {
        if (!in.negative) return output;
        const gpu::Shape& s = output.shape();
        const auto flat = [&](const Tensor& x) { return gpu::reshape(x, {s[0], s[1], s[2] * s[3]}); };
        const Tensor weak = flat(in.negative + (in.positive - in.negative) * mimic_), strong = flat(output);
        const Tensor weak_part = weak - gpu::mean(weak, {2}), mean = gpu::mean(strong, {2}), strong_part = strong - mean;
        const Tensor wanted = gpu::max(gpu::abs(weak_part), {2});                               // [N, C, 1]
        const Tensor reach = gpu::maximum(wanted, quantile(gpu::abs(strong_part), share_));
        const Tensor held = gpu::maximum(gpu::minimum(strong_part, reach), -reach);
        return gpu::reshape(held / gpu::maximum(reach, 1e-12) * wanted + mean, s);
    }
    // The paper's: the predicted picture is cut at a quantile and scaled back to 1, where it exceeds that.
    Tensor clipped(const GuidanceInput& in, const Tensor& output) const {
        const Tensor x0 = predict(in.type, output, in.x, in.at.level).x0;
        const gpu::Shape& s = x0.shape();
        const Tensor reach = gpu::reshape(gpu::maximum(quantile(gpu::reshape(gpu::abs(x0), {s[0], 1, s[1] * s[2] * s[3]}), share_), 1.0), {s[0], 1, 1, 1});
        return output_for(in.type, gpu::maximum(gpu::minimum(x0, reach), -reach) / reach, in.x, in.at.level);
    }

    Way way_;
    double mimic_, share_;
};

struct GuidanceThreshold final : Node {
    GuidanceThreshold() : Node({.id = "guidance.threshold", .version = 1, .title = "Dynamic Threshold", .category = "Guidance",
                                .help = "Keeps strongly guided predictions in range. Mimic gives them the range of a weaker guidance and suits latents; "
                                        "clip cuts the predicted picture as Imagen does and suits models of pixels."}) {}

    In<Model>     model{this, "model", "The model to sample with"};
    Param<Way>    way  {this, "way", "How values are held in range", {.initial = Way::Mimic, .names = {"mimic", "clip"}}};
    Param<double> mimic{this, "mimic", "The guidance whose range is taken", {.initial = 7, .min = 0, .max = 100, .step = 0.5}};
    Param<double> share{this, "share", "Share of values that stays below the threshold", {.initial = 0.995, .min = 0.5, .max = 1, .step = 0.005}};
    Out<Model>    patched{this, "model", "The model with the patch"};

    void compute(Eval& ev) const override { ev.set(patched, ev[model].with(std::make_shared<const Threshold>(ev[way], ev[mimic], ev[share]))); }
};

}  // namespace

REGISTER_NODE(guidance_threshold, GuidanceThreshold)

}  // namespace nodes
