// x [N, C, size...], weight [O, C / groups, kernel...] -> [N, O, output...], over 1 to 3 spatial axes with zero padding.
#include <algorithm>

#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"
#include "gpu/ops/conv.h"
#include "gpu/ops/gemm.h"

namespace gpu {
namespace {

// Pixels times channels, summed over taps and channels, which are padded to whole steps of the loop (step 1: not at all).
GemmShape product_of(const Spec& w, const Shape& y, std::int64_t step = 1) {
    const std::int64_t padded = (w.shape[1] + step - 1) / step * step;
    return {1, y[0] * element_count(spatial(y)), y[1], element_count(spatial(w.shape)) * padded};
}

// shaders/common/conv_gemm.glsl: k runs over taps and channels.
void lower_tiled(KernelBuilder& k, const ConvGeometry& g, const GemmTiling& tiling, const Shape& y, const SplitK& split) {
    const Shape &x = k.in_spec(0).shape, &w = k.in_spec(1).shape;
    Order weight_order{0};   // O, kernel..., C
    for (std::size_t i = 0; i < g.rank(); ++i) weight_order.push_back(static_cast<int>(2 + i));
    weight_order.push_back(1);
    k.in(0, channels_last(x.size())).in(1, weight_order).in_blocks(row_major(x.size()), "WEIGHTS_OIHW");
    const GemmShape shape = product_of(k.in_spec(1), y, tiling.step_k());
    lower_gemm(k, "convolution", tiling, shape, w[1] % tiling.step_k() != 0, split.parts);
    conv_constants(k, g, w);
    k.push(shape.m).push(shape.n).push(shape.k).push(w[1]).push(shape.k / element_count(spatial(w)));
    for (const Shape& lengths : {three_axes(spatial(x)), three_axes(spatial(y))})
        for (const std::int64_t length : lengths) k.push(length);
    if (split.parts > 1) k.push(shape.batch).push(split.length);
}

// The first step of a convolution whose sum is split, to be summed over the parts.
struct ConvolutionParts final : Op {
    ConvolutionParts(ConvGeometry geometry, std::string variant, Shape y, const Spec& w)
        : g(std::move(geometry)), variant(std::move(variant)), y(std::move(y)), tiling(gemm_tiling(this->variant)),
          split(split_k(tiling, product_of(w, this->y, tiling.step_k()).k, gemm_parts(this->variant))) {}
    const ConvGeometry g;
    const std::string variant;
    const Shape y;
    const GemmTiling& tiling;
    const SplitK split;

    std::string_view name() const override { return "convolution_parts"; }
    Attrs attrs() const override {
        Attrs attrs = g.attrs();
        attrs.push_back({"parts", split.parts});
        return attrs;
    }
    Spec infer(const Specs&) const override {
        return {shape_of_parts(split.parts, y), Dtype::F32};
    }
    void lower(KernelBuilder& k) const override {
        k.kernel().variant = variant;
        lower_tiled(k, g, tiling, y, split);
        const auto channels = static_cast<int>(k.out_spec().shape.size() - g.rank() - 1);
        Order order = row_major(k.out_spec().shape.size());   // parts, N, output..., O
        order.erase(order.begin() + channels);
        order.push_back(channels);
        k.out(order).flop(conv_flop(y, k.in_spec(1).shape));
    }
};

struct Convolution final : Op {
    explicit Convolution(ConvGeometry geometry) : g(std::move(geometry)) {}
    const ConvGeometry g;

    std::string_view name() const override { return "convolution"; }
    Attrs attrs() const override { return g.attrs(); }

    Spec infer(const Specs& in) const override {
        const Shape &x = in[0].shape, &w = in[1].shape;
        Shape y;
        if (x.size() == g.rank() + 2 && w.size() == g.rank() + 2) {
            y = {x[0], w[0]};
            for (std::size_t i = 0; i < g.rank(); ++i) y.push_back(g.output(i, x[2 + i], w[2 + i]));
        }
        check_conv(*this, g, in[0], in[1], y);
        return {y, promote(in[0].dtype, in[1].dtype)};
    }

    void lower(KernelBuilder& k) const override {
        const Shape &x = k.in_spec(0).shape, &w = k.in_spec(1).shape, &y = k.out_spec().shape;
        if (const GemmTiling* tiling = tiled(k.variant())) {
            lower_tiled(k, g, *tiling, y, {});
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

    // As a product of matrices where there is one group only: its tilings beside the simple kernel.
    std::vector<std::string> variants(const Specs& in, const DeviceTraits& traits) const override {
        if (g.groups != 1) return {};
        return gemm_variants(product_of(in[1], infer(in).shape), in[0].dtype == Dtype::F16 && in[1].dtype == Dtype::F16, traits);
    }

    static const GemmTiling* tiled(const std::string& variant) {
        const GemmTiling* tiling = variant.empty() ? nullptr : &gemm_tiling(variant);
        return tiling && tiling->kind != GemmKind::Simple ? tiling : nullptr;
    }

    Tensor variant_graph(const Tensors& in, const std::string& variant) const override {
        if (gemm_parts(variant) == 1) return {};
        const Spec out = infer({in[0].spec(), in[1].spec()});
        return sum_of_parts(apply_op<ConvolutionParts>(in, g, variant, out.shape, in[1].spec()), out);
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

Tensor convolution(const Tensor& x, const Tensor& weight, const ConvGeometry& geometry) {
    return apply_op<Convolution>({x, weight}, geometry);
}

}  // namespace gpu
