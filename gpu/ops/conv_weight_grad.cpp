// The adjoint of convolution in its weight: x [N, C, size...], dy [N, O, output...] -> [O, C / groups, kernel...].
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"
#include "gpu/ops/conv.h"
#include "gpu/ops/conv_gemm.h"

namespace gpu {
namespace {

struct ConvWeightGrad final : Op {
    ConvWeightGrad(ConvGeometry geometry, Shape kernel) : g(std::move(geometry)), kernel(std::move(kernel)) {}
    const ConvGeometry g;
    const Shape kernel;

    std::string_view name() const override { return "conv_weight_grad"; }
    Attrs attrs() const override {
        Attrs attrs = g.attrs();
        attrs.push_back({"kernel", kernel});
        return attrs;
    }

    Spec infer(const Specs& in) const override {
        Spec w = in[0];
        w.dtype = promote(in[0].dtype, in[1].dtype);
        if (in[0].shape.size() >= 2 && in[1].shape.size() >= 2 && g.groups >= 1) {
            w.shape = {in[1].shape[1], in[0].shape[1] / g.groups};
            w.shape.insert(w.shape.end(), kernel.begin(), kernel.end());
        }
        check_conv(*this, g, in[0], w, in[1].shape);
        return w;
    }

    void lower(KernelBuilder& k) const override {
        const Shape &x = k.in_spec(0).shape, &dy = k.in_spec(1).shape, &w = k.out_spec().shape;
        if (is_conv_gemm(k.variant())) {
            lower_conv_gemm(k, ConvGemm::WeightGrad, g, w);
        } else {
            const std::int64_t c = w[1], o = w[0] / g.groups, rows = dy[0] * element_count(spatial(dy)) / dy.back();
            k.shader("conv_weight_grad").in(0, channels_last(x.size())).in(1, channels_last(x.size()));
            conv_constants(k, g, w);
            k.push(c).push(o).push(rows);
            for (const Shape& lengths : {three_axes(spatial(x)), three_axes(spatial(dy))})
                for (const std::int64_t length : lengths) k.push(length);
            k.groups((c + 31) / 32, g.groups * ((o + 3) / 4), element_count(kernel));
        }
        k.out(row_major(w.size()));
        if (element_count(x) > 0 && element_count(dy) > 0)
            k.host("conv_weight_grad", g.params()).host_in(0, channels_last(x.size())).host_in(1, channels_last(x.size())).host_any_float();
        k.flop(conv_flop(dy, w));
    }

    std::vector<std::string> variants(const Specs& in, const DeviceTraits& traits) const override {
        return conv_gemm_variants(ConvGemm::WeightGrad, g, in, infer(in), traits);
    }

    Tensor variant_graph(const Tensors& in, const std::string& variant) const override {
        return conv_gemm_graph(ConvGemm::WeightGrad, g, in, infer({in[0].spec(), in[1].spec()}), variant);
    }

    // For each tap the product of dy with what the tap met, over all pixels of all pictures.
    Tensor composite(const Tensors& in) const override {
        const Shape x = in[0].shape(), dy = in[1].shape(), out = spatial(dy), w = infer({in[0].spec(), in[1].spec()}).shape;
        const std::int64_t c = w[1], o = w[0] / g.groups, pixels = dy[0] * element_count(out);
        Shape before(2, 0), after(2, 0);
        before.insert(before.end(), g.before.begin(), g.before.end());
        after.insert(after.end(), g.after.begin(), g.after.end());
        const Tensor padded = pad(in[0], before, after);
        const auto by_group = [&](const Tensor& map, std::int64_t channels) {   // [groups, channels, N pixels]
            const Tensor split = reshape(map, {dy[0], g.groups, channels, element_count(out)});
            return reshape(permute(split, {1, 2, 0, 3}), {g.groups, channels, pixels});
        };
        const Tensor cotangent = by_group(in[1], o);
        Tensors parts;
        for (const Shape& tap : conv_taps(g, kernel)) {
            const Tensor met = by_group(conv_tap(padded, g, tap, out), c);
            parts.push_back(reshape(matmul(cotangent, transpose(met, 1, 2)), {w[0], c, 1}));
        }
        return reshape(parts.size() == 1 ? parts[0] : concat(parts, 2), w);
    }

    Tensors vjp(const Tensors& in, const Tensor&, const Tensor& dw) const override {
        return {cast(conv_input_grad(in[1], dw, g, spatial(in[0].shape())), in[0].dtype()), cast(convolution(in[0], dw, g), in[1].dtype())};
    }
};

}  // namespace

REGISTER_OP(conv_weight_grad, ConvWeightGrad)

Tensor conv_weight_grad(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Shape& kernel) {
    return apply_op<ConvWeightGrad>({x, dy}, geometry, kernel);
}

}  // namespace gpu
