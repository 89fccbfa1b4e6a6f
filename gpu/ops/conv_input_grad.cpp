// The adjoint of convolution in its map, which is the transposed convolution:
// dy [N, O, output...], weight [O, C / groups, kernel...] -> [N, C, size...].
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"
#include "gpu/ops/conv.h"
#include "gpu/ops/conv_gemm.h"

namespace gpu {
namespace {

struct ConvInputGrad final : Op {
    ConvInputGrad(ConvGeometry geometry, Shape size) : g(std::move(geometry)), size(std::move(size)) {}
    const ConvGeometry g;
    const Shape size;

    std::string_view name() const override { return "conv_input_grad"; }
    Attrs attrs() const override {
        Attrs attrs = g.attrs();
        attrs.push_back({"size", size});
        return attrs;
    }

    Spec infer(const Specs& in) const override {
        Spec x = in[0];
        x.dtype = promote(in[0].dtype, in[1].dtype);
        if (in[0].shape.size() >= 2 && in[1].shape.size() >= 2) {
            x.shape = {in[0].shape[0], in[1].shape[1] * g.groups};
            x.shape.insert(x.shape.end(), size.begin(), size.end());
        }
        check_conv(*this, g, x, in[1], in[0].shape);
        return x;
    }

    void lower(KernelBuilder& k) const override {
        const Shape &dy = k.in_spec(0).shape, &w = k.in_spec(1).shape, &x = k.out_spec().shape;
        if (is_conv_gemm(k.variant())) {
            lower_conv_gemm(k, ConvGemm::InputGrad, g, x);
        } else {
            Order weight_order;   // kernel..., O, C
            for (std::size_t i = 0; i < g.rank(); ++i) weight_order.push_back(static_cast<int>(2 + i));
            weight_order.insert(weight_order.end(), {0, 1});
            conv_shader(k, g, w, dy, x, w[0] / g.groups, w[1]);
            k.define("TRANSPOSED");
            k.in(0, channels_last(x.size())).in(1, weight_order).in_blocks(row_major(x.size()), "WEIGHTS_OIHW");
        }
        k.out(channels_last(x.size()));
        if (element_count(dy) > 0 && element_count(w) > 0)
            k.host("conv_input_grad", g.params()).host_in(0, channels_last(x.size())).host_in(1, row_major(x.size())).host_in_blocks().host_any_float();
        k.flop(conv_flop(dy, w));
    }

    std::vector<std::string> variants(const Specs& in, const DeviceTraits& traits) const override {
        return conv_gemm_variants(ConvGemm::InputGrad, g, in, infer(in), traits);
    }

    Tensor variant_graph(const Tensors& in, const std::string& variant) const override {
        return conv_gemm_graph(ConvGemm::InputGrad, g, in, infer({in[0].spec(), in[1].spec()}), variant);
    }

    // Each tap's product, spread by the stride to where the tap met the padded map, summed; then the padding is cut off.
    Tensor composite(const Tensors& in) const override {
        const Shape dy = in[0].shape(), out = spatial(dy), x = infer({in[0].spec(), in[1].spec()}).shape;
        const std::int64_t c = in[1].size(1), o = dy[1] / g.groups;
        const Tensor maps = reshape(in[0], {dy[0], g.groups, o, element_count(out)});
        const std::vector<Shape> taps = conv_taps(g, spatial(in[1].shape()));
        Tensor result;
        for (std::size_t t = 0; t < taps.size(); ++t) {
            const Tensor weight = broadcast_to(transpose(conv_tap_weight(in[1], g, t), 1, 2), {dy[0], g.groups, c, o});
            Shape shape{dy[0], x[1]}, before(2, 0), after(2, 0), interior(2, 0);
            for (std::size_t i = 0; i < g.rank(); ++i) {
                shape.push_back(out[i]);
                before.push_back(taps[t][i]);
                after.push_back(size[i] + g.before[i] + g.after[i] - taps[t][i] - ((out[i] - 1) * g.stride[i] + 1));
                interior.push_back(g.stride[i] - 1);
            }
            const Tensor part = pad(reshape(matmul(weight, maps), shape), before, after, interior);
            result = result ? result + part : part;
        }
        for (std::size_t i = 0; i < g.rank(); ++i)
            result = slice(result, static_cast<int>(2 + i), g.before[i], g.before[i] + size[i]);
        return result;
    }

    Tensors vjp(const Tensors& in, const Tensor&, const Tensor& dx) const override {
        return {cast(convolution(dx, in[1], g), in[0].dtype()), cast(conv_weight_grad(dx, in[0], g, spatial(in[1].shape())), in[1].dtype())};
    }
};

}  // namespace

REGISTER_OP(conv_input_grad, ConvInputGrad)

Tensor conv_input_grad(const Tensor& dy, const Tensor& weight, const ConvGeometry& geometry, const Shape& size) {
    return apply_op<ConvInputGrad>({dy, weight}, geometry, size);
}

}  // namespace gpu
