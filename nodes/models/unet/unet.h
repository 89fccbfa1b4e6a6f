// The UNet of Stable Diffusion 1.x, 2.x, SDXL, its refiner and LCM, and every smaller copy of that architecture
// (arXiv:2112.10752, arXiv:2307.01952, arXiv:2310.04378), with all kinds of patches hooked in.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "nodes/models/unet/config.h"
#include "nodes/models/unet/hooks.h"
#include "nodes/models/unet/merge.h"
#include "nodes/models/unet/res_block.h"
#include "nodes/models/unet/transformer.h"
#include "nodes/types/model.h"

namespace nodes {

// The embedding of timestep, pooled text, sizes and guidance that every ResBlock reads.
struct UnetEmbedding {
    nn::Linear first, second;                       // time_embed.0, time_embed.2
    std::optional<nn::Linear> guidance;             // time_embed.cond_proj
    struct Label {
        nn::Linear first, second;                   // label_emb.0.0, label_emb.0.2
    };
    std::optional<Label> label;
    int sinusoids, pooled_width, size_ids, size_embedding;

    UnetEmbedding(const Scope& s, const UnetConfig& config);
    // [B, time_width] after its SiLU. Throws Error{InvalidGraph} where the call lacks what the network reads.
    Tensor operator()(const DenoiserInput& call) const;
};

// A numbered block: one of a convolution, a ResBlock (with a transformer behind it) and a resampler.
struct UnetBlock {
    std::optional<nn::Conv2d> conv;                 // input_blocks.0
    std::optional<ResBlock> residual;
    std::optional<SpatialTransformer> transformer;
    std::optional<Downsample> down;                 // alone in its block
    std::optional<Upsample> up;                     // behind the others
};

// The way down and the middle, which ControlNets copy.
struct UnetEncoder {
    UnetEmbedding embedding;
    std::vector<UnetBlock> input;
    std::optional<ResBlock> middle_in, middle_out;
    std::optional<SpatialTransformer> middle;
    std::vector<int> widths;                        // channels of each input block's result

    // `sites`: attention_sites(config).
    UnetEncoder(const Scope& s, const UnetConfig& config, const std::vector<AttentionSite>& sites);

    // Results of the input blocks, x [B, in_channels, h, w]; `hint` [B, C, h, w] (or empty) joins the first one.
    gpu::Tensors down(const Tensor& x, const Tensor& embedding, const DenoiserInput& call, const UnetHooks& hooks,
                      const std::map<int, Tensor>& features = {}, const Tensor& hint = {}) const;
    Tensor across(Tensor h, const Tensor& embedding, const DenoiserInput& call, const UnetHooks& hooks) const;
};

// The network as an expression. A value: cheap handles on its weights.
class UnetNetwork {
public:
    UnetNetwork(const Scope& s, const UnetConfig& config);

    // The raw output [B, out_channels, h, w] with the hooks' patches. Throws Error{InvalidGraph} for inputs that do not fit.
    Tensor operator()(const DenoiserInput& input, const UnetHooks& hooks = {}) const;

private:
    UnetConfig config_;
    UnetEncoder encoder_;
    std::vector<UnetBlock> output_;
    nn::GroupNorm norm_out_;                        // out.0
    nn::Conv2d conv_out_;                           // out.2
};

class Unet final : public DiffusionModel {
public:
    // `weights` are named as ldm has them. Throws BadFile, naming keys, where they do not fit the configuration.
    Unet(gpu::Weights weights, UnetConfig config, ModelInfo info);

    const ModelInfo& info() const override { return info_; }
    const gpu::Weights& weights() const override { return weights_; }
    std::shared_ptr<const Denoiser> build(const Patches& patches) const override;
    std::string summary() const override;
    std::size_t bytes() const override { return 0; }
    const UnetConfig& config() const { return config_; }

private:
    // The same leaves for every network, so that what the device keeps of them serves all.
    const NamedTensors& leaves() const;

    gpu::Weights weights_;
    UnetConfig config_;
    ModelInfo info_;
    mutable std::once_flag once_;
    mutable NamedTensors leaves_;
};

std::shared_ptr<const DiffusionModel> make_unet(gpu::Weights weights, const UnetConfig& config, ModelInfo info);
// With the configuration read off the weights and what follows from it.
std::shared_ptr<const DiffusionModel> make_unet(gpu::Weights weights);

}  // namespace nodes
