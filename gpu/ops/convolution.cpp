// x [N, C, size...], weight [O, C / groups, kernel...] -> [N, O, output...], over 1 to 3 spatial axes with zero padding.
#include <algorithm>

#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"
#include "gpu/ops/conv.h"
#include "gpu/ops/conv_gemm.h"

namespace gpu {
namespace {

struct Convolution final : Op {
    explicit Convolution(ConvGeometry geometry) : g(std::move(geometry)) {}
    const ConvGeometry g;

    std::string_view name() const override { return "convolution"; }
    Attrs attrs() const override { return g.attrs(); }

    Spec infer(const Specs& in) const override {
        const Shape &x = in[0].shape, &w = in[1].shape;
        Shape y;
        if (x.size() == g.rank() + 2 && w.size() == g.rank() + 2) {
            y.reserve(x.size());
            y.push_back(x[0]);
            y.push_back(w[0]);
            for (std::size_t i = 0; i < g.rank(); ++i) y.push_back(g.output(i, x[2 + i], w[2 + i]));
        }
        check_conv(*this, g, in[0], in[1], y);
        return {y, promote(in[0].dtype, in[1].dtype)};
    }

    void lower(KernelBuilder& k) const override {
        const Shape &x = k.in_spec(0).shape, &w = k.in_spec(1).shape, &y = k.out_spec().shape;
        if (is_conv_gemm(k.variant())) {
            lower_conv_gemm(k, ConvGemm::Forward, g, y);
        } else {
            Order weight_order;   // kernel..., C, O
            for (std::size_t i = 0; i < g.rank(); ++i) weight_order.push_back(static_cast<int>(2 + i));
            weight_order.insert(weight_order.end(), {1, 0});
            conv_shader(k, g, w, x, y, w[1], w[0] / g.groups);
            k.in(0, channels_last(x.size())).in(1, weight_order).in_blocks(row_major(x.size()), "WEIGHTS_OIHW");
        }
        k.out(channels_last(x.size())).with_epilogue();
        // An empty sum is the shader's to store.
        if (element_count(x) > 0 && element_count(w) > 0)
            k.host("convolution", g.params()).host_in(0, channels_last(x.size())).host_in(1, row_major(x.size())).host_in_blocks().host_any_float();
        k.flop(conv_flop(y, w));
    }

    std::vector<std::string> variants(const Specs& in, const DeviceTraits& traits) const override {
        return conv_gemm_variants(ConvGemm::Forward, g, in, infer(in), traits);
    }

    Tensor variant_graph(const Tensors& in, const std::string& variant) const override {
        return conv_gemm_graph(ConvGemm::Forward, g, in, infer({in[0].spec(), in[1].spec()}), variant);
    }

    // One product of matrices per kernel tap, summed.
    Tensor composite(const Tensors& in) const override {
        const Shape y = infer({in[0].spec(), in[1].spec()}).shape, out = spatial(y);
        const std::int64_t c = in[1].size(1), o = y[1] / g.groups, pixels = element_count(out);
        Shape before(2, 0), after(2, 0);
        before.insert(before.end(), g.before.begin(), g.before.end());
        after.insert(after.end(), g.after.begin(), g.after.end());
        const Tensor padded = pad(in[0], before, after);
        const std::vector<Shape> taps = conv_taps(g, spatial(in[1].shape()));
        Tensor result;
        for (std::size_t t = 0; t < taps.size(); ++t) {
            const Tensor tap = reshape(conv_tap(padded, g, taps[t], out), {y[0], g.groups, c, pixels});
            const Tensor weight = broadcast_to(conv_tap_weight(in[1], g, t), {y[0], g.groups, o, c});
            const Tensor part = matmul(weight, tap);   // [N, groups, O / groups, pixels]
            result = result ? result + part : part;
        }
        return reshape(result, y);
    }

    Tensors vjp(const Tensors& in, const Tensor&, const Tensor& dy) const override {
        return {cast(conv_input_grad(dy, in[1], g, spatial(in[0].shape())), in[0].dtype()),
                cast(conv_weight_grad(in[0], dy, g, spatial(in[1].shape())), in[1].dtype())};
    }
};

}  // namespace

REGISTER_OP(convolution, Convolution)

Tensor convolution(const Tensor& x, const Tensor& weight, ConvGeometry geometry) {
    Tensors in;
    in.reserve(2);
    in.push_back(x);
    in.push_back(weight);
    return apply_op<Convolution>(std::move(in), std::move(geometry));
}

}  // namespace gpu
