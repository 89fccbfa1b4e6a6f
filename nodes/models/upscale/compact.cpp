#include "nodes/models/upscale/compact.h"

#include "gpu/base/format.h"

namespace nodes {

Compact::Compact(const gpu::Scope& s, const CompactConfig& c)
    : config_(c), last_(s / gpu::format("body.{}", 2 * c.convs + 2), c.width, 3 * c.scale * c.scale) {
    for (int k = 0; k <= c.convs; ++k)
        layers_.push_back({{s / gpu::format("body.{}", 2 * k), k == 0 ? 3 : c.width, c.width},
                           gpu::reshape((s / gpu::format("body.{}", 2 * k + 1)).weight("weight", {c.width}, {.bound = 0, .centre = 0.25}), {1, c.width, 1, 1})});
    s.finish("compact upscaler");
    for (const gpu::Scope::Asked& asked : s.asked()) bytes_ += static_cast<std::size_t>(gpu::element_count(asked.shape)) * sizeof(float);
}

Tensor Compact::operator()(const Tensor& pictures) const {
    Tensor x = pictures;                                                              // [N, 3, H, W]
    for (const Layer& layer : layers_) {
        x = layer.conv(x);                                                            // [N, width, H, W]
        x = gpu::maximum(x, 0) + layer.slope * gpu::minimum(x, 0);
    }
    return gpu::pixel_shuffle(last_(x), config_.scale) + gpu::upsample_nearest(pictures, config_.scale);
}

std::string Compact::summary() const { return gpu::format("compact upscaler, {}x, {} convolutions of {} channels", config_.scale, config_.convs + 2, config_.width); }

}  // namespace nodes
