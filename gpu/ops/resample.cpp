// Separable resampling: every output sample along one axis is a short weighted sum of input samples. The tables come
// from the filter's formula once and are inputs, so that one shader serves every filter and size.
#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <numbers>

#include "gpu/base/error.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

// Weights of output sample i: weight[i * taps + t] belongs to input sample start[i] + t.
struct Table {
    std::int64_t taps = 0;
    std::vector<std::int32_t> start;
    std::vector<float> weight;
};

double sinc(double x) { return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }

double filter_radius(Filter filter) {
    switch (filter) {
        case Filter::Bilinear: return 1;
        case Filter::Bicubic: return 2;
        case Filter::Lanczos: return 3;
        default: return 0.5;
    }
}

double filter_weight(Filter filter, double x) {
    x = std::abs(x);
    switch (filter) {
        case Filter::Bilinear: return std::max(0.0, 1 - x);
        case Filter::Bicubic:   // Keys 1981 with a = -0.5, as picture tools use when resampling
            if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
            return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
        case Filter::Lanczos: return x < 3 ? sinc(x) * sinc(x / 3) : 0;
        default: return x <= 0.5 ? 1 : 0;
    }
}

// Window [low, high) and weights of one output sample, before the window is moved inside the input.
std::vector<double> sample_weights(Filter filter, double scale, double support, std::int64_t i, std::int64_t in,
                                   std::int64_t& low) {
    if (filter == Filter::Nearest) {
        low = std::min<std::int64_t>(in - 1, static_cast<std::int64_t>(std::floor((static_cast<double>(i) + 0.5) * scale)));
        return {1.0};
    }
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    if (filter == Filter::Area) {   // the share of each input sample that the output sample covers
        const double from = static_cast<double>(i) * scale, to = static_cast<double>(i + 1) * scale;
        low = static_cast<std::int64_t>(std::floor(from));
        std::vector<double> weights;
        for (std::int64_t s = low; s < in && static_cast<double>(s) < to - 1e-9; ++s)
            weights.push_back(std::min(to, static_cast<double>(s + 1)) - std::max(from, static_cast<double>(s)));
        return weights;
    }
    const double reach = filter_radius(filter) * support;
    low = static_cast<std::int64_t>(std::floor(centre - reach + 0.5));
    const auto high = static_cast<std::int64_t>(std::floor(centre + reach + 0.5));
    std::vector<double> weights;
    for (std::int64_t s = low; s < std::max(high, low + 1); ++s)
        weights.push_back(filter_weight(filter, (static_cast<double>(s) + 0.5 - centre) / support));
    return weights;
}

Table make_table(std::int64_t in, std::int64_t out, Filter filter, bool antialias) {
    const double scale = static_cast<double>(in) / static_cast<double>(out);
    const double support = antialias ? std::max(1.0, scale) : 1.0;
    std::vector<std::vector<double>> rows(out);
    Table table;
    table.start.resize(out);
    for (std::int64_t i = 0; i < out; ++i) {
        std::int64_t low = 0;
        const std::vector<double> weights = sample_weights(filter, scale, support, i, in, low);
        // Samples outside repeat the border when interpolating; antialiased windows are cut and renormalised instead.
        const std::int64_t first = std::clamp<std::int64_t>(low, 0, in - 1);
        std::vector<double>& row = rows[i];
        for (std::size_t t = 0; t < weights.size(); ++t) {
            const std::int64_t sample = low + static_cast<std::int64_t>(t);
            const bool inside = sample >= 0 && sample < in;
            if (!inside && antialias) continue;
            const std::int64_t at = std::clamp<std::int64_t>(sample, 0, in - 1) - first;
            row.resize(std::max<std::size_t>(row.size(), at + 1));
            row[at] += weights[t];
        }
        double total = 0;
        for (const double weight : row) total += weight;
        for (double& weight : row) weight /= total;
        table.start[i] = static_cast<std::int32_t>(first);
        table.taps = std::max<std::int64_t>(table.taps, static_cast<std::int64_t>(row.size()));
    }
    table.taps = std::min(table.taps, in);
    table.weight.assign(out * table.taps, 0);
    for (std::int64_t i = 0; i < out; ++i) {
        // The window is moved back inside the input, its weights along with it.
        const std::int64_t start = std::min<std::int64_t>(table.start[i], in - table.taps);
        for (std::size_t t = 0; t < rows[i].size(); ++t)
            table.weight[i * table.taps + table.start[i] - start + static_cast<std::int64_t>(t)] = static_cast<float>(rows[i][t]);
        table.start[i] = static_cast<std::int32_t>(start);
    }
    return table;
}

struct Resample final : Op {
    Resample(int axis, std::int64_t length, Filter filter, bool antialias)
        : axis(axis), length(length), filter(filter), antialias(antialias) {}
    const int axis;
    const std::int64_t length;
    const Filter filter;
    const bool antialias;

    std::string_view name() const override { return "resample"; }
    Attrs attrs() const override {
        return {{"axis", std::int64_t{axis}}, {"length", length}, {"filter", static_cast<std::int64_t>(filter)},
                {"antialias", std::int64_t{antialias}}};
    }
    Spec infer(const Specs& in) const override {
        expect(*this, in[0].shape.size() == 4 && in[0].dtype == Dtype::F32 && element_count(in[0].shape) > 0 && length > 0,
               "expected F32 [N, C, H, W] with pixels, got {}", to_string(in[0]));
        Spec out = in[0];
        out.shape[axis] = length;
        return out;
    }
    // Inputs: x, start [length] I32, weight [length, taps].
    void lower(KernelBuilder& k) const override {
        const Shape& x = k.in_spec(0).shape;
        const std::int64_t inner = axis == 2 ? x[3] * x[1] : x[1];
        const std::int64_t outer = axis == 2 ? x[0] : x[0] * x[2];
        k.shader("resample").in(0, channels_last(4)).in(1, row_major(1)).in(2, row_major(2)).out(channels_last(4));
        k.push(inner).push(x[axis]).push(length).push(k.in_spec(2).shape[1]);
        const std::int64_t block = std::int64_t{k.traits().lanes} * k.traits().elements_per_lane;
        k.define("LANES=" + std::to_string(k.traits().lanes)).define("BLOCK=" + std::to_string(block));
        k.groups((length * inner + block - 1) / block, outer);
        k.flop(2.0 * static_cast<double>(element_count(k.out_spec().shape) * k.in_spec(2).shape[1]));
    }
    // A product with the dense matrix of all weights.
    Tensor composite(const Tensors& in) const override {
        const std::int64_t size = in[0].shape()[axis];
        const Table table = make_table(size, length, filter, antialias);
        std::vector<float> dense(length * size, 0);
        for (std::int64_t i = 0; i < length; ++i)
            for (std::int64_t t = 0; t < table.taps; ++t) dense[i * size + table.start[i] + t] += table.weight[i * table.taps + t];
        const Tensor matrix = tensor(dense, {length, size});
        const Tensor x = axis == 2 ? transpose(in[0], 2, 3) : in[0];
        const Tensor y = matmul(x, transpose(matrix, 0, 1));   // [..., length]
        return axis == 2 ? transpose(y, 2, 3) : y;
    }
    Tensors vjp(const Tensors& in, const Tensor& out, const Tensor& dy) const override {
        return {Op::vjp({in[0]}, out, dy)[0], {}, {}};
    }
};

// Tables as leaves, remembered so that equal sizes share them (and the graph nodes built on them).
std::pair<Tensor, Tensor> table_leaves(std::int64_t in, std::int64_t out, Filter filter, bool antialias) {
    static std::mutex mutex;
    static std::map<std::tuple<std::int64_t, std::int64_t, Filter, bool>, std::pair<Tensor, Tensor>> known;
    const std::lock_guard lock(mutex);
    if (known.size() > 64) known.clear();
    auto& entry = known[{in, out, filter, antialias}];
    if (!entry.first) {
        const Table table = make_table(in, out, filter, antialias);
        entry = {tensor_i32(table.start, {out}), tensor(table.weight, {out, table.taps})};
    }
    return entry;
}

Tensor resample(const Tensor& x, int axis, std::int64_t length, Filter filter, bool antialias) {
    if (x.size(axis) == length) return x;
    const auto [start, weight] = table_leaves(x.size(axis), length, filter, antialias);
    return apply_op<Resample>({x, start, weight}, axis, length, filter, antialias);
}

}  // namespace

REGISTER_OP(resample, Resample)

Tensor resize(const Tensor& x, std::int64_t height, std::int64_t width, Filter filter, bool antialias) {
    check(x.rank() == 4 && height > 0 && width > 0 && x.element_count() > 0, ErrorCode::InvalidGraph,
          "resize: expected [N, C, H, W] and a size above 0, got {} to {} x {}", to_string(x.spec()), width, height);
    antialias = antialias || filter == Filter::Area;
    // The shorter intermediate first.
    if (height * x.size(3) <= width * x.size(2))
        return resample(resample(x, 2, height, filter, antialias), 3, width, filter, antialias);
    return resample(resample(x, 3, width, filter, antialias), 2, height, filter, antialias);
}

Tensor upsample_nearest(const Tensor& x, int factor) {
    const Shape& s = x.shape();
    const Tensor wide = broadcast_to(unsqueeze(x, {3, 5}), {s[0], s[1], s[2], factor, s[3], factor});
    return reshape(wide, {s[0], s[1], s[2] * factor, s[3] * factor});
}

Tensor gaussian_blur(const Tensor& x, double sigma) {
    check(x.rank() == 4, ErrorCode::InvalidGraph, "gaussian_blur: expected [N, C, H, W], got {}", to_string(x.spec()));
    if (sigma <= 0) return x;
    const int radius = std::max(1, static_cast<int>(std::ceil(3 * sigma)));
    std::vector<float> taps(2 * radius + 1);
    double total = 0;
    for (int i = -radius; i <= radius; ++i) total += std::exp(-0.5 * i * i / (sigma * sigma));
    for (int i = -radius; i <= radius; ++i) taps[i + radius] = static_cast<float>(std::exp(-0.5 * i * i / (sigma * sigma)) / total);
    const Shape& s = x.shape();
    const std::int64_t size = 2 * radius + 1;
    // Every channel alone: the channels become pictures of one channel.
    Tensor y = pad2d(reshape(x, {s[0] * s[1], 1, s[2], s[3]}), radius, radius, radius, radius, PadMode::Replicate);
    y = conv2d(y, tensor(taps, {1, 1, size, 1}));
    y = conv2d(y, tensor(taps, {1, 1, 1, size}));
    return reshape(y, s);
}

}  // namespace gpu
