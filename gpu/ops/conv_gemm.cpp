#include "gpu/ops/conv_gemm.h"

#include <algorithm>

#include "gpu/graph/op.h"
#include "gpu/ops/conv.h"
#include "gpu/ops/winograd.h"

namespace gpu {
namespace {

constexpr std::int64_t word = 8;   // channels that a load of the weight's gradient takes at most

std::int64_t rounded_up(std::int64_t size, std::int64_t step) { return (size + step - 1) / step * step; }
std::int64_t pixels(const Shape& map) { return map[0] * element_count(spatial(map)); }

struct Problem {
    GemmShape shape;               // as the shader has it
    std::int64_t channels = 0;     // that k (of the weight's gradient: n) runs over within each tap
    std::int64_t padded = 0;
};

// Channels within a tap are padded to whole steps of the loop (of the weight's gradient: to whole words).
Problem problem(ConvGemm kind, const Shape& a, const Shape& b, const Shape& out, std::int64_t step) {
    switch (kind) {
        case ConvGemm::Forward:
        case ConvGemm::InputGrad: {
            const std::int64_t c = a[1], padded = rounded_up(c, step);
            return {{1, pixels(out), out[1], element_count(spatial(b)) * padded}, c, padded};
        }
        case ConvGemm::WeightGrad: {
            const std::int64_t c = out[1], padded = rounded_up(c, word);
            return {{1, out[0], element_count(spatial(out)) * padded, pixels(b)}, c, padded};
        }
    }
    return {};
}

void lower(KernelBuilder& k, ConvGemm kind, const ConvGeometry& g, const GemmTiling& tiling, const Shape& out, const SplitK& split) {
    const Shape &a = k.in_spec(0).shape, &b = k.in_spec(1).shape;
    const Problem problem = gpu::problem(kind, a, b, out, tiling.step_k());
    const bool of_weight = kind == ConvGemm::WeightGrad;
    k.in(0, channels_last(a.size()));
    // Each workgroup gathers an element once for every tap that meets it.
    if (!of_weight && problem.shape.n > 0 && pixels(a) > 0)
        k.with_prologue(static_cast<double>(element_count(spatial(b)) * ((problem.shape.n + tiling.n - 1) / tiling.n)) * static_cast<double>(pixels(out)) / static_cast<double>(pixels(a)));
    if (of_weight) {
        k.in(1, channels_last(b.size()));
    } else {
        Order order{kind == ConvGemm::Forward ? 0 : 1};   // computed channels, kernel..., gathered channels
        for (std::size_t i = 0; i < g.rank(); ++i) order.push_back(static_cast<int>(2 + i));
        order.push_back(1 - order[0]);
        k.in(1, order).in_blocks(row_major(b.size()), "WEIGHTS_OIHW");
        if (kind == ConvGemm::InputGrad) k.define("TRANSPOSED");
    }
    const std::int64_t along = of_weight ? problem.shape.k : problem.channels;
    lower_gemm(k, of_weight ? "conv_weight_grad" : "convolution", tiling, problem.shape, along % tiling.step_k() != 0, split.parts);
    conv_constants(k, g, of_weight ? out : b);
    k.push(problem.shape.m).push(problem.shape.n).push(problem.shape.k).push(problem.channels).push(problem.padded);
    for (const Shape& lengths : {three_axes(spatial(a)), three_axes(spatial(of_weight ? b : out))})
        for (const std::int64_t length : lengths) k.push(length);
    if (split.parts > 1) k.push(problem.shape.batch).push(split.length);
}

// The first step of a convolution whose sum is split, to be summed over the parts.
struct ConvParts final : Op {
    ConvParts(ConvGemm kind, ConvGeometry geometry, std::string variant, const Tensors& in, Shape out)
        : kind(kind), g(std::move(geometry)), variant(std::move(variant)), out(std::move(out)), tiling(gemm_tiling(this->variant)),
          split(split_k(tiling, problem(kind, in[0].shape(), in[1].shape(), this->out, tiling.step_k()).shape.k, gemm_parts(this->variant))) {}
    const ConvGemm kind;
    const ConvGeometry g;
    const std::string variant;
    const Shape out;
    const GemmTiling& tiling;
    const SplitK split;

    std::string_view name() const override {
        return kind == ConvGemm::Forward ? "convolution_parts" : kind == ConvGemm::InputGrad ? "conv_input_grad_parts" : "conv_weight_grad_parts";
    }
    Attrs attrs() const override {
        Attrs attrs = g.attrs();
        attrs.push_back({"parts", split.parts});
        attrs.push_back({"out", out});
        return attrs;
    }
    Spec infer(const Specs&) const override { return {shape_of_parts(split.parts, out), Dtype::F32}; }
    void lower(KernelBuilder& k) const override {
        k.kernel().variant = variant;
        gpu::lower(k, kind, g, tiling, out, split);
        Order order = row_major(k.out_spec().shape.size());
        if (kind != ConvGemm::WeightGrad) {   // parts, N, output..., channels
            const auto channels = static_cast<int>(order.size() - g.rank() - 1);
            order.erase(order.begin() + channels);
            order.push_back(channels);
        }
        k.out(order).flop(kind == ConvGemm::Forward     ? conv_flop(out, k.in_spec(1).shape)
                          : kind == ConvGemm::InputGrad ? conv_flop(k.in_spec(0).shape, k.in_spec(1).shape)
                                                        : conv_flop(k.in_spec(1).shape, out));
    }
};

}  // namespace

std::vector<std::string> conv_gemm_variants(ConvGemm kind, const ConvGeometry& geometry, const Specs& in, const Spec& out, const DeviceTraits& traits) {
    if (geometry.groups != 1) return {};
    const bool halves = in[0].dtype == Dtype::F16 && in[1].dtype == Dtype::F16;
    DeviceTraits allowed = traits;
    if (kind != ConvGemm::Forward) allowed.half_products = false;   // gradients scaled up, or tiny, don't fit halves well
    std::vector<std::string> names = gemm_variants(problem(kind, in[0].shape, in[1].shape, out.shape, 1).shape, halves, allowed);
    if (kind == ConvGemm::WeightGrad) std::erase(names, "subgroup");   // reads along k only
    else
        for (const std::string& name : winograd_variants(geometry, in, out)) names.push_back(name);
    return names;
}

bool is_conv_gemm(const std::string& variant) { return !variant.empty() && gemm_tiling(variant).kind != GemmKind::Simple; }

void lower_conv_gemm(KernelBuilder& kernel, ConvGemm kind, const ConvGeometry& geometry, const Shape& out) {
    lower(kernel, kind, geometry, gemm_tiling(kernel.variant()), out, {});
}

Tensor conv_gemm_graph(ConvGemm kind, const ConvGeometry& geometry, const Tensors& in, const Spec& out, const std::string& variant) {
    if (is_winograd(variant)) return winograd_graph(kind == ConvGemm::InputGrad, geometry, in, out, variant);
    if (gemm_parts(variant) == 1) return {};
    return sum_of_parts(apply_op<ConvParts>(in, kind, geometry, variant, in, out.shape), out);
}

}  // namespace gpu
