// y = (x - mean) / sqrt(variance + eps), over C / groups channels and all positions of one picture.   arXiv:1803.08494
#include <algorithm>
#include <bit>
#include <numeric>

#include "gpu/base/error.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

// The mean over each group's channels and all positions, as [N, C, 1, ...] with equal numbers within a group. Positions
// first: along channels, which lie side by side in memory.
Tensor group_mean(const Tensor& x, int groups) {
    const std::int64_t n = x.size(0), c = x.size(1);
    Tensor total = x;
    if (x.rank() > 2) {
        std::vector<int> positions(static_cast<std::size_t>(x.rank() - 2));
        std::iota(positions.begin(), positions.end(), 2);
        total = sum(x, positions);
    }
    const Shape per_channel = total.shape(), grouped{n, groups, c / groups};
    const double count = static_cast<double>(x.element_count()) / static_cast<double>(std::max<std::int64_t>(n * groups, 1));
    return reshape(broadcast_to(sum(reshape(total, grouped), {2}) / count, grouped), per_channel);
}

// [2, N, C, 1, ...]: the mean of each channel's group, and 1 / sqrt(variance + eps).
struct GroupMoments final : Op {
    GroupMoments(int groups, double eps) : groups(groups), eps(eps) {}
    const int groups;
    const double eps;

    std::string_view name() const override { return "group_moments"; }
    Attrs attrs() const override { return {{"groups", std::int64_t{groups}}, {"eps", eps}}; }
    Spec infer(const Specs& in) const override {
        Shape shape(in[0].shape.size() + 1, 1);
        shape[0] = 2;
        std::copy_n(in[0].shape.begin(), 2, shape.begin() + 1);
        return {shape, in[0].dtype};
    }

    // For processors: one sweep over the map instead of two.
    void lower(KernelBuilder& k) const override {
        const Spec& x = k.in_spec(0);
        if (!k.traits().host_kernels || x.dtype != Dtype::F32 || element_count(x.shape) == 0) return;
        k.host("group_moments", {groups, std::bit_cast<std::int64_t>(eps)}).host_in(0, channels_last(x.shape.size())).out(row_major(x.shape.size() + 1));
        k.flop(3.0 * static_cast<double>(element_count(x.shape)));
    }

    // mean - x, not x - mean: a value of its own, computed as it is summed. One shared with what normalises would be stored
    // and read twice.
    Tensor composite(const Tensors& in) const override {
        const Tensor mean = group_mean(in[0], groups);
        return stack({mean, rsqrt(group_mean(square(mean - in[0]), groups) + eps)}, 0);
    }
};

struct GroupNorm final : Op {
    GroupNorm(int groups, double eps) : groups(groups), eps(eps) {}
    const int groups;
    const double eps;

    std::string_view name() const override { return "group_norm"; }
    Attrs attrs() const override { return {{"groups", std::int64_t{groups}}, {"eps", eps}}; }

    Spec infer(const Specs& in) const override {
        expect(*this, in[0].shape.size() >= 2 && groups > 0 && in[0].shape[1] % groups == 0,
               "expected [N, C, ...] with C a multiple of {}, got {}", groups, shown(in[0]));
        return in[0];
    }

    // On the host the composite's steps serve better: the moments in one sweep, then another that normalises and takes what
    // follows, both spread over pixels instead of the few groups.
    void lower(KernelBuilder& k) const override {
        if (k.traits().host_kernels && k.in_spec(0).dtype == Dtype::F32) return;
        const Shape& x = k.in_spec(0).shape;
        const std::int64_t positions = element_count(x) / (x[0] * x[1]);
        k.shader("group_norm").define("LANES=" + std::to_string(k.traits().lanes)).in(0, channels_last(x.size())).out(channels_last(x.size())).with_epilogue();
        k.push(positions).push(x[1]).push(x[1] / groups).push_float(static_cast<float>(eps));
        k.groups(groups, x[0]);
        k.flop(8.0 * static_cast<double>(element_count(x)));
    }

    Tensor composite(const Tensors& in) const override {
        const Tensor all = moments(in[0]);
        return (in[0] - part(all, 0)) * part(all, 1);
    }

    // With r = 1 / sqrt(variance + eps): dx = r (dy - mean(dy) - y mean(dy y)).
    Tensors vjp(const Tensors& in, const Tensor& out, const Tensor& dy) const override {
        return {part(moments(in[0]), 1) * (dy - group_mean(dy, groups) - out * group_mean(dy * out, groups))};
    }

private:
    Tensor moments(const Tensor& x) const { return apply_op<GroupMoments>({x}, groups, eps); }
    static Tensor part(const Tensor& moments, int index) { return squeeze(slice(moments, 0, index, index + 1), {0}); }
};

}  // namespace

REGISTER_OP(group_norm, GroupNorm)

Tensor group_norm(const Tensor& x, int groups, const Tensor& weight, const Tensor& bias, double eps) {
    Tensor y = apply_op<GroupNorm>(Tensors(1, x), groups, eps);
    if (!weight && !bias) return y;
    Shape per_channel(x.rank(), 1);
    per_channel[1] = x.size(1);
    const auto fitted = [&](const Tensor& v) { return cast(broadcast_to(reshape(v, per_channel), x.shape()), x.dtype()); };
    if (weight) y = y * fitted(weight);
    if (bias) y = y + fitted(bias);
    return y;
}

}  // namespace gpu
