// x [N, C, H, W], weight [O, C / groups, KH, KW] -> [N, O, H', W'] with zero padding.
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

struct Conv2d final : Op {
    explicit Conv2d(const Conv2dOptions& options) : o(options) {}
    const Conv2dOptions o;

    std::string_view name() const override { return "conv2d"; }
    Attrs attrs() const override {
        return {{"stride", std::int64_t{o.stride}}, {"pad", std::int64_t{o.pad}},
                {"dilation", std::int64_t{o.dilation}}, {"groups", std::int64_t{o.groups}}};
    }

    Spec infer(const Specs& in) const override {
        const Shape &x = in[0].shape, &w = in[1].shape;
        expect(*this, x.size() == 4 && w.size() == 4, "expected [N, C, H, W] and [O, C, KH, KW], got {} and {}",
               to_string(in[0]), to_string(in[1]));
        expect(*this, o.stride > 0 && o.dilation > 0 && o.groups > 0 && o.pad >= 0, "expected positive options, got {}", text());
        expect(*this, x[1] == w[1] * o.groups && w[0] % o.groups == 0, "expected {} channels in {} groups, got {}",
               w[1] * o.groups, o.groups, to_string(in[0]));
        const auto length = [&](int axis) { return (x[axis] + 2 * o.pad - o.dilation * (w[axis] - 1) - 1) / o.stride + 1; };
        expect(*this, x[2] + 2 * o.pad >= o.dilation * (w[2] - 1) + 1 && x[3] + 2 * o.pad >= o.dilation * (w[3] - 1) + 1,
               "expected a picture of at least the kernel's size, got {} and {}", to_string(in[0]), to_string(in[1]));
        expect(*this, is_float(in[0].dtype) && is_float(in[1].dtype), "expected floating types, got {} and {}", to_string(in[0]), to_string(in[1]));
        return {{x[0], w[0], length(2), length(3)}, promote(in[0].dtype, in[1].dtype)};
    }

    void lower(KernelBuilder& k) const override {
        const Shape &x = k.in_spec(0).shape, &w = k.in_spec(1).shape, &y = k.out_spec().shape;
        // Each invocation computes 4 neighbouring pixels of 4 channels (1 channel when grouped); lanes run over channels.
        const std::int64_t block = o.groups == 1 ? 4 : 1;
        k.shader("conv2d").define(block == 4 ? "BLOCK=4" : "BLOCK=1");
        k.in(0, channels_last(4)).in(1, {2, 3, 1, 0}).in_blocks(row_major(4), "WEIGHTS_OIHW").out(channels_last(4)).with_epilogue();
        for (const std::int64_t size : {x[1], x[2], x[3], y[1], y[2], y[3], w[2], w[3], w[1]}) k.push(size);
        k.push(o.stride).push(o.pad).push(o.dilation).push(o.groups);
        k.groups((y[1] + block * 16 - 1) / (block * 16), ((y[3] + 3) / 4 + 3) / 4, y[0] * y[2]);
        k.host("conv2d", {o.stride, o.pad, o.dilation, o.groups}).host_in(0, channels_last(4)).host_in(1, row_major(4)).host_in_blocks().host_any_float();
        k.flop(2.0 * static_cast<double>(element_count(y)) * static_cast<double>(w[1] * w[2] * w[3]));
    }

    // One product of matrices per kernel tap, summed.
    Tensor composite(const Tensors& in) const override {
        const Shape &w = in[1].shape(), y = infer({in[0].spec(), in[1].spec()}).shape;
        const std::int64_t n = y[0], g = o.groups, c = w[1], out = w[0] / g;
        const Tensor x = pad(in[0], {0, 0, o.pad, o.pad}, {0, 0, o.pad, o.pad});
        Tensor result;
        for (std::int64_t i = 0; i < w[2]; ++i)
            for (std::int64_t j = 0; j < w[3]; ++j) {
                const std::int64_t top = i * o.dilation, left = j * o.dilation;
                Tensor tap = slice(x, 2, top, top + (y[2] - 1) * o.stride + 1, o.stride);
                tap = slice(tap, 3, left, left + (y[3] - 1) * o.stride + 1, o.stride);   // [N, G C, H', W']
                tap = reshape(tap, {n, g, c, y[2] * y[3]});
                Tensor weight = slice(slice(in[1], 2, i, i + 1), 3, j, j + 1);
                weight = reshape(weight, {1, g, out, c});
                const Tensor part = matmul(broadcast_to(weight, {n, g, out, c}), tap);   // [N, G, O / G, H' W']
                result = result ? result + part : part;
            }
        return reshape(result, y);
    }
};

}  // namespace

REGISTER_OP(conv2d, Conv2d)

Tensor conv2d(const Tensor& x, const Tensor& weight, const Conv2dOptions& options) {
    return apply_op<Conv2d>({x, weight}, options);
}

}  // namespace gpu
