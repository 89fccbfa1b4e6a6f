// RRDBNet, the network of ESRGAN (arXiv:1809.00219) and Real-ESRGAN (arXiv:2107.10833): residual blocks whose convolutions see
// all that came before them in their block, then nearest doubling with a convolution behind it.
#pragma once

#include <vector>

#include "gpu/nn/modules.h"
#include "nodes/types/upscaler.h"

namespace nodes {

namespace nn = gpu::nn;
using gpu::Scope;

struct RrdbConfig {
    int scale = 4;           // 1, 2, 4 or 8
    int unshuffle = 1;       // the picture's pixels go in as blocks of this side, one channel each: Real-ESRGAN's way to scales below 4
    int width = 64;          // channels of the trunk
    int growth = 32;         // channels that each convolution of a dense block adds
    int blocks = 23;
    int doublings = 2;       // behind the trunk: scale = 2^doublings / unshuffle
};

// Five convolutions, the k-th of all maps before it; the last one's result, times 0.2, is added to what came in.
struct DenseBlock {
    std::vector<nn::Conv2d> convs;

    DenseBlock(const Scope& s, int width, int growth);
    Tensor operator()(const Tensor& x) const;      // [N, width, H, W], unchanged
};

class Rrdb final : public UpscaleNetwork {
public:
    // Keys as in Real-ESRGAN's files: conv_first, body.N.rdbK.convJ, conv_body, conv_upK, conv_hr, conv_last.
    // Throws BadFile naming keys that are missing or not its own.
    Rrdb(const Scope& s, const RrdbConfig& config);

    int scale() const override { return config_.scale; }
    Tensor operator()(const Tensor& pictures) const override;
    std::string summary() const override;
    std::size_t bytes() const override { return bytes_; }

private:
    RrdbConfig config_;
    nn::Conv2d first_;
    std::vector<std::vector<DenseBlock>> body_;      // three a block
    nn::Conv2d after_body_;
    std::vector<nn::Conv2d> ups_;
    nn::Conv2d detail_, last_;
    std::size_t bytes_ = 0;
};

}  // namespace nodes
