#include <cmath>

#include "gpu/base/error.h"
#include "gpu/graph/autocast.h"
#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/models/unet/unet.h"

namespace nodes {
namespace {

enum class Version { One, Two };

// FreeU (arXiv:2309.11497): where the way up joins a skip, the backbone counts more and the skip's lowest frequencies less. By the
// channels of the backbone: four times the first level's, twice the first level's, others stay.
class FreeU final : public BlockPatch {
public:
    struct Factors {
        double backbone, skip;
    };
    FreeU(std::int64_t base_channels, Factors wide, Factors narrow, Version version)
        : base_channels_(base_channels), wide_(wide), narrow_(narrow), version_(version) {}

    std::string summary() const override { return gpu::format("FreeU {}", version_ == Version::One ? 1 : 2); }
    std::pair<Tensor, Tensor> join(const BlockSite&, const Tensor& backbone, const Tensor& taken, const DenoiserInput&) const override {
        const gpu::Autocast as_written(gpu::Dtype::F32);      // the sums over all cells are beyond F16
        const Tensor h = gpu::cast(backbone, gpu::Dtype::F32), skip = gpu::cast(taken, gpu::Dtype::F32);
        if (h.size(1) == 4 * base_channels_) return {amplified(h, wide_.backbone), damped(skip, wide_.skip)};
        if (h.size(1) == 2 * base_channels_) return {amplified(h, narrow_.backbone), damped(skip, narrow_.skip)};
        return {backbone, taken};
    }

private:
    // The first half of the channels times a factor; in version 2 one of each cell, which grows with the mean of its channels.
    Tensor amplified(const Tensor& h, double factor) const {
        const std::int64_t half = h.size(1) / 2;
        Tensor by = gpu::full({1, 1, 1, 1}, factor);
        if (version_ == Version::Two) {
            const Tensor mean = gpu::mean(h, {1});                                                       // [N, 1, H, W]
            const Tensor low = gpu::min(mean, {2, 3}), high = gpu::max(mean, {2, 3});
            by = (mean - low) / gpu::maximum(high - low, 1e-12) * (factor - 1) + 1.0;
        }
        return gpu::concat({gpu::slice(h, 1, 0, half) * by, gpu::slice(h, 1, half, h.size(1))}, 1);
    }

    // The published filter scales the four frequencies 0 and -1 of either axis and takes the real part. They are seven real waves:
    // two thin products in place of two transforms.
    static Tensor damped(const Tensor& skip, double factor) {
        const std::int64_t rows = skip.size(2), columns = skip.size(3), cells = rows * columns;
        std::vector<float> waves;
        const double turn = 6.283185307179586;
        for (std::int64_t cell = 0; cell < cells; ++cell) {
            waves.push_back(1);
            const double y = turn * static_cast<double>(cell / columns) / static_cast<double>(rows);
            const double x = turn * static_cast<double>(cell % columns) / static_cast<double>(columns);
            for (const double angle : {y, x, y + x})
                for (const double value : {std::cos(angle), std::sin(angle)}) waves.push_back(static_cast<float>(value));
        }
        const Tensor basis = gpu::tensor(waves, {cells, 7});
        const Tensor tokens = gpu::transpose(gpu::reshape(skip, {skip.size(0), skip.size(1), cells}), 1, 2);     // [N, H W, C]
        const Tensor low = gpu::matmul(basis, gpu::matmul(gpu::transpose(basis, 0, 1), tokens)) * ((factor - 1) / static_cast<double>(cells));
        return skip + gpu::reshape(gpu::transpose(low, 1, 2), skip.shape());
    }

    std::int64_t base_channels_;
    Factors wide_, narrow_;
    Version version_;
};

struct AdaptFreeU final : Node {
    AdaptFreeU() : Node({.id = "adapt.freeu", .version = 1, .title = "FreeU", .category = "Adapt",
                         .help = "Weighs the two streams of a UNet anew where they join, without training: richer detail and fewer odd shapes. "
                                 "Usual numbers (b1, b2, s1, s2): SD 1.5 1.5, 1.6, 0.9, 0.2; SD 2.1 1.4, 1.6, 0.9, 0.2; SDXL 1.3, 1.4, 0.9, 0.2."}) {}

    In<Model>      model  {this, "model", "A UNet of Stable Diffusion"};
    Param<Version> version{this, "version", "Version 2 amplifies each cell by what it holds, version 1 all alike", {.initial = Version::Two, .names = {"1", "2"}}};
    Param<double>  b1     {this, "b1", "Factor of the backbone at the coarse levels", {.initial = 1.3, .min = 0.0, .max = 10.0, .step = 0.01}};
    Param<double>  b2     {this, "b2", "Factor of the backbone one level finer", {.initial = 1.4, .min = 0.0, .max = 10.0, .step = 0.01}};
    Param<double>  s1     {this, "s1", "Factor of the skip's lowest frequencies at the coarse levels", {.initial = 0.9, .min = 0.0, .max = 10.0, .step = 0.01}};
    Param<double>  s2     {this, "s2", "Factor of the skip's lowest frequencies one level finer", {.initial = 0.2, .min = 0.0, .max = 10.0, .step = 0.01}};
    Out<Model>     out    {this, "model", "The model, with its streams weighed anew"};

    void compute(Eval& ev) const override {
        const auto* unet = dynamic_cast<const Unet*>(&ev[model].base());
        if (!unet) ev.fail(model, gpu::ErrorCode::InvalidGraph, "expected a UNet of Stable Diffusion, got {}", ev[model].summary());
        ev.set(out, ev[model].with(std::make_shared<const FreeU>(unet->config().base_channels(), FreeU::Factors{ev[b1], ev[s1]},
                                                                 FreeU::Factors{ev[b2], ev[s2]}, ev[version])));
    }
};

}  // namespace

REGISTER_NODE(adapt_freeu, AdaptFreeU)

}  // namespace nodes
