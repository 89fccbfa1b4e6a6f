#include "nodes/models/unet/res_block.h"

namespace nodes {

ResBlock::ResBlock(const Scope& s, int in, int out, int time_width, int groups)
    : norm_in(s / "in_layers.0", in, groups),
      conv_in(s / "in_layers.2", in, out),
      time(s / "emb_layers.1", time_width, out),
      norm_out(s / "out_layers.0", out, groups),
      conv_out(s / "out_layers.3", out, out) {
    if (in != out) skip.emplace(s / "skip_connection", in, out, nn::Conv{.kernel = 1, .pad = 0});
}

Tensor ResBlock::operator()(const Tensor& x, const Tensor& embedding) const {
    const Tensor shift = time(embedding);                                              // [N, out]
    const Tensor h = conv_in(gpu::silu(norm_in(x))) + gpu::unsqueeze(shift, {2, 3});   // [N, out, H, W]
    return conv_out(gpu::silu(norm_out(h))) + (skip ? (*skip)(x) : x);
}

Downsample::Downsample(const Scope& s, int channels) : conv(s / "op", channels, channels, {.stride = 2}) {}

Tensor Downsample::operator()(const Tensor& x) const { return conv(x); }

Upsample::Upsample(const Scope& s, int channels) : conv(s / "conv", channels, channels) {}

Tensor Upsample::operator()(const Tensor& x, std::int64_t height, std::int64_t width) const {
    Tensor doubled = gpu::upsample_nearest(x, 2);
    if (doubled.size(2) > height) doubled = gpu::slice(doubled, 2, 0, height);
    if (doubled.size(3) > width) doubled = gpu::slice(doubled, 3, 0, width);
    return conv(doubled);      // [N, C, height, width]
}

}  // namespace nodes
