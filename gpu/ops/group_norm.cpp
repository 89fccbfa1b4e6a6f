// y = (x - mean) / sqrt(variance + eps), over C / groups channels and all positions of one picture.   arXiv:1803.08494
#include "gpu/base/error.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

struct GroupNorm final : Op {
    GroupNorm(int groups, double eps) : groups(groups), eps(eps) {}
    const int groups;
    const double eps;

    std::string_view name() const override { return "group_norm"; }
    Attrs attrs() const override { return {{"groups", std::int64_t{groups}}, {"eps", eps}}; }

    Spec infer(const Specs& in) const override {
        expect(*this, in[0].shape.size() >= 2 && groups > 0 && in[0].shape[1] % groups == 0,
               "expected [N, C, ...] with C a multiple of {}, got {}", groups, to_string(in[0]));
        return in[0];
    }

    void lower(KernelBuilder& k) const override {
        const Shape& x = k.in_spec(0).shape;
        const std::int64_t positions = element_count(x) / (x[0] * x[1]);
        k.shader("group_norm").define("LANES=" + std::to_string(k.traits().lanes)).in(0, channels_last(x.size())).out(channels_last(x.size())).with_epilogue();
        k.push(positions).push(x[1]).push(x[1] / groups).push_float(static_cast<float>(eps));
        k.groups(groups, x[0]);
        k.flop(8.0 * static_cast<double>(element_count(x)));
    }

    Tensor composite(const Tensors& in) const override {
        const Shape& shape = in[0].shape();
        const Tensor x = reshape(in[0], {shape[0], groups, -1});   // [N, G, C / G * positions]
        const Tensor centred = x - mean(x, {2});
        return reshape(centred * rsqrt(mean(square(centred), {2}) + eps), shape);
    }
};

}  // namespace

REGISTER_OP(group_norm, GroupNorm)

Tensor group_norm(const Tensor& x, int groups, const Tensor& weight, const Tensor& bias, double eps) {
    Tensor y = apply_op<GroupNorm>({x}, groups, eps);
    Shape per_channel(x.rank(), 1);
    per_channel[1] = x.size(1);
    const auto fitted = [&](const Tensor& v) { return cast(broadcast_to(reshape(v, per_channel), x.shape()), x.dtype()); };
    if (weight) y = y * fitted(weight);
    if (bias) y = y + fitted(bias);
    return y;
}

}  // namespace gpu
