// y = (x - mean) / sqrt(variance + eps), over C / groups channels and all positions of one picture.   arXiv:1803.08494
#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "gpu/base/error.h"
#include "gpu/base/format.h"
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

// How shaders cut a map [N, C, ...] up for its groups' moments.
struct MomentParts {
    std::int64_t pixels = 1, width = 1;        // of a picture; channels of a group
    std::int64_t channels = 1;                 // of a workgroup: whole groups, as many as its invocations where there are
    std::int64_t part = 1, parts = 1;          // pixels of a part but the last

    MomentParts(const Shape& x, std::int64_t groups, std::int64_t channels, std::int64_t part)
        : pixels(element_count(x) / (x[0] * x[1])), width(x[1] / groups), channels(channels), part(part), parts((pixels + part - 1) / part) {}
};

// The cut for a device, as a variant's name: "parts_160x32", channels and pixels. Empty: a group's channels are too many for shared memory.
std::string moment_variant(const Shape& x, std::int64_t groups, const DeviceTraits& traits) {
    const std::int64_t pixels = element_count(x) / (x[0] * x[1]), width = x[1] / groups;
    std::int64_t channels = x[1];
    for (std::int64_t some = groups; some > 0; --some)
        if (groups % some == 0 && width * some >= std::min<std::int64_t>(traits.lanes, x[1])) channels = width * some;
    if (channels * 8 > std::int64_t{traits.max_shared_bytes} / 2) return {};
    const std::int64_t others = x[0] * (x[1] / channels), wanted = traits.software ? 16 : 512;   // workgroups
    const std::int64_t parts = std::clamp<std::int64_t>((wanted + others - 1) / others, 1, std::max<std::int64_t>(pixels / 8, 1));
    return format("parts_{}x{}", channels, (pixels + parts - 1) / parts);
}
MomentParts moment_parts(const Shape& x, std::int64_t groups, const std::string& variant) {
    const std::size_t by = variant.find('x');
    return {x, groups, std::stoll(variant.substr(6, by - 6)), std::stoll(variant.substr(by + 1))};
}

// x [N, C, ...] -> [N, groups, parts, 2]: of each part of the pixels the mean, and the sum of squared deviations from it.
struct GroupMomentsParts final : Op {
    GroupMomentsParts(int groups, const MomentParts& cut) : groups(groups), cut(cut) {}
    const int groups;
    const MomentParts cut;

    std::string_view name() const override { return "group_moments_parts"; }
    Attrs attrs() const override { return {{"groups", std::int64_t{groups}}, {"part", cut.part}, {"channels", cut.channels}}; }
    Spec infer(const Specs& in) const override { return {{in[0].shape[0], groups, cut.parts, 2}, Dtype::F32}; }
    void lower(KernelBuilder& k) const override {
        const Shape& x = k.in_spec(0).shape;
        k.shader("group_moments_parts").define("LANES=" + std::to_string(k.traits().lanes)).constant(cut.channels);
        k.in(0, channels_last(x.size())).out(row_major(4)).push(cut.pixels).push(x[1]).push(cut.width).push(cut.part);
        k.groups(cut.parts, x[1] / cut.channels, x[0]).flop(3.0 * static_cast<double>(element_count(x)));
    }
    std::optional<std::vector<double>> reference(const std::vector<std::span<const double>>& in, const Specs& specs) const override {
        const std::int64_t n = specs[0].shape[0];
        std::vector<double> result;
        for (std::int64_t g = 0; g < n * groups; ++g)   // row-major: a group's channels follow each other, pixel by pixel
            for (std::int64_t first = 0; first < cut.pixels; first += cut.part) {
                const std::int64_t count = std::min(cut.part, cut.pixels - first);
                double sum = 0, squares = 0;
                const auto each = [&](auto visit) {
                    for (std::int64_t c = 0; c < cut.width; ++c)
                        for (std::int64_t s = first; s < first + count; ++s) visit(in[0][static_cast<std::size_t>((g * cut.width + c) * cut.pixels + s)]);
                };
                each([&](double x) { sum += x; });
                const double mean = sum / static_cast<double>(count * cut.width);
                each([&](double x) { squares += (x - mean) * (x - mean); });
                result.insert(result.end(), {mean, squares});
            }
        return result;
    }
};

// Those put together: [2, N, C, 1, ...] of F32, as GroupMoments.
struct GroupMomentsOfParts final : Op {
    GroupMomentsOfParts(Shape shape, double eps, const MomentParts& cut) : shape(std::move(shape)), eps(eps), cut(cut) {}
    const Shape shape;
    const double eps;
    const MomentParts cut;

    std::string_view name() const override { return "group_moments_of_parts"; }
    Attrs attrs() const override { return {{"shape", shape}, {"eps", eps}, {"pixels", cut.pixels}, {"part", cut.part}}; }
    Spec infer(const Specs&) const override { return {shape, Dtype::F32}; }
    void lower(KernelBuilder& k) const override {
        const Shape& in = k.in_spec(0).shape;
        k.shader("group_moments").define("LANES=" + std::to_string(k.traits().lanes)).in(0, row_major(4)).out(row_major(shape.size()));
        k.push(cut.parts).push(shape[2]).push(cut.width).push(cut.pixels).push(cut.part).push_float(static_cast<float>(eps));
        k.groups(in[1], in[0]);
    }
    std::optional<std::vector<double>> reference(const std::vector<std::span<const double>>& in, const Specs& specs) const override {
        const auto groups = static_cast<std::size_t>(specs[0].shape[0] * specs[0].shape[1]), width = static_cast<std::size_t>(cut.width);
        std::vector<double> result(2 * groups * width);
        for (std::size_t g = 0; g < groups; ++g) {
            double total = 0, mean = 0, squares = 0;
            for (std::int64_t i = 0; i < cut.parts; ++i) {
                const auto count = static_cast<double>(std::min(cut.part, cut.pixels - i * cut.part) * cut.width);
                const std::size_t at = (g * static_cast<std::size_t>(cut.parts) + static_cast<std::size_t>(i)) * 2;
                const double apart = in[0][at] - mean;
                squares += in[0][at + 1] + apart * apart * total * count / (total + count);
                mean += apart * count / (total + count);
                total += count;
            }
            std::fill_n(result.begin() + static_cast<std::ptrdiff_t>(g * width), width, mean);
            std::fill_n(result.begin() + static_cast<std::ptrdiff_t>((groups + g) * width), width, 1 / std::sqrt(squares / total + eps));
        }
        return result;
    }
};

// [2, N, C, 1, ...] of F32: the mean of each channel's group, and 1 / sqrt(variance + eps).
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
        return {shape, Dtype::F32};
    }

    // For processors: one sweep over the map instead of two.
    void lower(KernelBuilder& k) const override {
        const Spec& x = k.in_spec(0);
        if (!k.traits().host_kernels || x.dtype != Dtype::F32 || element_count(x.shape) == 0) return;
        k.host("group_moments", {groups, std::bit_cast<std::int64_t>(eps)}).host_in(0, channels_last(x.shape.size())).out(row_major(x.shape.size() + 1));
        k.flop(3.0 * static_cast<double>(element_count(x.shape)));
    }

    // Shaders: the same sweep in parts, which keep all of a GPU busy, or the definition's reductions.
    std::vector<std::string> variants(const Specs& in, const DeviceTraits& traits) const override {
        if (element_count(in[0].shape) == 0) return {};
        const std::string parts = moment_variant(in[0].shape, groups, traits);
        return parts.empty() ? std::vector<std::string>{} : std::vector<std::string>{parts, "reductions"};
    }
    Tensor variant_graph(const Tensors& in, const std::string& variant) const override {
        if (variant == "reductions") return composite(in);
        const MomentParts cut = moment_parts(in[0].shape(), groups, variant);
        return apply_op<GroupMomentsOfParts>({apply_op<GroupMomentsParts>({in[0]}, groups, cut)}, infer({in[0].spec()}).shape, eps, cut);
    }

    // mean - x, not x - mean: a value of its own, computed as it is summed. One shared with what normalises would be stored
    // and read twice.
    Tensor composite(const Tensors& in) const override {
        const Tensor x = cast(in[0], Dtype::F32), mean = group_mean(x, groups);
        return stack({mean, rsqrt(group_mean(square(mean - x), groups) + eps)}, 0);
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

    // So do they on a GPU, unless the groups are small: one workgroup a group is a few dozen of them, whose loads lie apart.
    std::vector<std::string> variants(const Specs& in, const DeviceTraits& traits) const override {
        const Shape& x = in[0].shape;
        if ((traits.host_kernels && in[0].dtype == Dtype::F32) || element_count(x) == 0) return {};
        if (traits.software || element_count(x) / (x[0] * groups) <= most_of_single) return {"single", "steps"};
        return {"steps", "single"};
    }
    Tensor variant_graph(const Tensors& in, const std::string& variant) const override { return variant == "steps" ? composite(in) : Tensor(); }

    Tensor composite(const Tensors& in) const override {
        const Tensor all = moments(in[0]);
        return cast((cast(in[0], Dtype::F32) - part(all, 0)) * part(all, 1), in[0].dtype());
    }

    // With r = 1 / sqrt(variance + eps): dx = r (dy - mean(dy) - y mean(dy y)).
    Tensors vjp(const Tensors& in, const Tensor& result, const Tensor& cotangent) const override {
        const Tensor dy = cast(cotangent, Dtype::F32), out = cast(result, Dtype::F32);
        return {cast(part(moments(in[0]), 1) * (dy - group_mean(dy, groups) - out * group_mean(dy * out, groups)), in[0].dtype())};
    }

private:
    static constexpr std::int64_t most_of_single = 4096;   // elements of a group

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
