// ControlNet (arXiv:2302.05543): a copy of the UNet's way down that reads a picture and adds to the skips and to the middle block.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "nodes/models/controlnet/keys.h"
#include "nodes/models/unet/unet.h"
#include "nodes/types/control.h"

namespace nodes {

// Convolutions with SiLU between, every second one halving the sides: a picture [N, 3 or 1, H, W] to a map of the latent's size.
struct HintEncoder {
    std::vector<nn::Conv2d> layers;      // input_hint_block.0, .2, .4 ...

    // Widths are read from the scope's shapes.
    HintEncoder(const Scope& s, int out);
    std::int64_t picture_channels() const { return layers.front().weight.size(1); }
    int factor() const;                  // of the picture's sides to the latent's
    Tensor operator()(Tensor picture) const;
};

// The network as an expression.
class ControlNetBranch {
public:
    ControlNetBranch(const Scope& s, const UnetConfig& config);

    const HintEncoder& hint() const { return hint_; }
    const UnetConfig& config() const { return config_; }
    // `hint` [N, C, h, w]: hint()'s result, of one row or as many as the call has. Not scaled.
    Residuals operator()(const DenoiserInput& call, const Tensor& hint) const;

private:
    UnetConfig config_;
    HintEncoder hint_;
    UnetEncoder encoder_;
    std::vector<nn::Conv2d> zero_;       // zero_convs.N.0
    std::optional<nn::Conv2d> middle_;   // middle_block_out.0
};

// The residuals as they are added: strength, soft weights of guess mode, pooling, nothing for negative rows.
Residuals scaled(Residuals residuals, const ControlOptions& options, const std::vector<bool>& negative);

// A file of any form. A whole one is ready; others are completed by the base that they are applied to.
class ControlNet final : public ControlNetwork, public std::enable_shared_from_this<ControlNet> {
public:
    // `hints` as for a UNet. `name` is for messages. Throws BadFile where the weights do not fit.
    ControlNet(gpu::Weights weights, ControlForm form, const UnetHints& hints, std::string name, bool pools = false);

    PatchRef patch(const Tensor& picture, const ControlOptions& options) const override;
    std::string summary() const override;
    bool pools() const override { return pools_; }

    // The network, completed by the base where it must be, with the base's heads where nobody said otherwise; kept for the last
    // base. Throws Error{InvalidGraph} for a base that does not fit.
    std::shared_ptr<const ControlNetBranch> branch(const DiffusionModel& base) const;
    // A whole network by itself.
    std::shared_ptr<const ControlNetBranch> branch() const;
    const std::string& name() const { return name_; }

private:
    gpu::Weights weights_;
    ControlForm form_;
    UnetHints hints_;
    std::string name_;
    bool pools_;
    mutable std::mutex mutex_;
    mutable std::weak_ptr<const void> base_;      // what keeps the weights of the last base
    mutable std::shared_ptr<const ControlNetBranch> branch_;
};

// Reads a file of any of these forms, or a T2I-Adapter. Throws MissingFile, BadFile.
Control load_control(const std::string& path, const UnetHints& hints = {});

}  // namespace nodes
