// SRVGGNetCompact, the small networks of Real-ESRGAN ("realesr-general-x4v3", "realesr-animevideov3"): plain convolutions with
// learned slopes at the picture's own size, and one pixel shuffle at the end, added to the enlarged picture.
#pragma once

#include <vector>

#include "gpu/nn/modules.h"
#include "nodes/types/upscaler.h"

namespace nodes {

struct CompactConfig {
    int scale = 4;
    int width = 64;
    int convs = 16;      // between the first and the last
};

class Compact final : public UpscaleNetwork {
public:
    // Keys as in the files: body.0 a convolution, body.1 its slopes, ...; body.N the last convolution. Throws BadFile.
    Compact(const gpu::Scope& s, const CompactConfig& config);

    int scale() const override { return config_.scale; }
    Tensor operator()(const Tensor& pictures) const override;
    std::string summary() const override;
    std::size_t bytes() const override { return bytes_; }

private:
    struct Layer {
        gpu::nn::Conv2d conv;
        Tensor slope;      // [1, width, 1, 1], of values below 0
    };
    CompactConfig config_;
    std::vector<Layer> layers_;
    gpu::nn::Conv2d last_;
    std::size_t bytes_ = 0;
};

}  // namespace nodes
