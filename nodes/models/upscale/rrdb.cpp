#include "nodes/models/upscale/rrdb.h"

#include "gpu/base/format.h"

namespace nodes {
namespace {

constexpr double residual = 0.2;      // of what a block adds

Tensor activated(const Tensor& x) { return gpu::maximum(x, 0.2 * x); }      // leaky rectifier

std::vector<std::vector<DenseBlock>> make_body(const Scope& s, const RrdbConfig& c) {
    std::vector<std::vector<DenseBlock>> body;
    for (int i = 0; i < c.blocks; ++i) {
        std::vector<DenseBlock> block;
        for (int k = 1; k <= 3; ++k) block.emplace_back(s / gpu::format("body.{}.rdb{}", i, k), c.width, c.growth);
        body.push_back(std::move(block));
    }
    return body;
}

std::vector<nn::Conv2d> make_ups(const Scope& s, const RrdbConfig& c) {
    std::vector<nn::Conv2d> ups;
    for (int k = 1; k <= c.doublings; ++k) ups.emplace_back(s / gpu::format("conv_up{}", k), c.width, c.width);
    return ups;
}

}  // namespace

DenseBlock::DenseBlock(const Scope& s, int width, int growth) {
    for (int k = 0; k < 5; ++k) convs.emplace_back(s / gpu::format("conv{}", k + 1), width + k * growth, k < 4 ? growth : width);
}

Tensor DenseBlock::operator()(const Tensor& x) const {
    Tensor seen = x;                                                          // [N, width + k growth, H, W]
    for (std::size_t k = 0; k < 4; ++k) seen = gpu::concat({seen, activated(convs[k](seen))}, 1);
    return convs[4](seen) * residual + x;
}

Rrdb::Rrdb(const Scope& s, const RrdbConfig& c)
    : config_(c),
      first_(s / "conv_first", 3 * c.unshuffle * c.unshuffle, c.width),
      body_(make_body(s, c)),
      after_body_(s / "conv_body", c.width, c.width),
      ups_(make_ups(s, c)),
      detail_(s / "conv_hr", c.width, c.width),
      last_(s / "conv_last", c.width, 3) {
    s.finish("ESRGAN");
    for (const Scope::Asked& asked : s.asked()) bytes_ += static_cast<std::size_t>(gpu::element_count(asked.shape)) * sizeof(float);
}

Tensor Rrdb::operator()(const Tensor& pictures) const {
    const std::int64_t h = pictures.size(2), w = pictures.size(3), cell = config_.unshuffle;
    // Whole cells: what lacks is the last row and column again, and is cut off in the end.
    const Tensor padded = gpu::pad2d(pictures, 0, static_cast<int>((cell - w % cell) % cell), 0, static_cast<int>((cell - h % cell) % cell), gpu::PadMode::Replicate);
    const Tensor x = first_(cell > 1 ? gpu::pixel_unshuffle(padded, cell) : padded);      // [N, width, H / cell, W / cell]
    Tensor trunk = x;
    for (const std::vector<DenseBlock>& block : body_) {
        Tensor inner = trunk;
        for (const DenseBlock& dense : block) inner = dense(inner);
        trunk = inner * residual + trunk;
    }
    Tensor map = x + after_body_(trunk);
    for (const nn::Conv2d& up : ups_) map = activated(up(gpu::upsample_nearest(map, 2)));
    const Tensor enlarged = last_(activated(detail_(map)));                                // [N, 3, >= H scale, >= W scale]
    return gpu::slice(gpu::slice(enlarged, 2, 0, h * config_.scale), 3, 0, w * config_.scale);
}

std::string Rrdb::summary() const { return gpu::format("ESRGAN, {}x, {} blocks of {} channels", config_.scale, config_.blocks, config_.width); }

}  // namespace nodes
