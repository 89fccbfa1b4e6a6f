// Separable resampling: every output sample along one axis is a short weighted sum of input samples. The tables come
// from the filter's formula once and are inputs, so that one shader serves every filter and size.
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <numbers>

#include "gpu/base/error.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
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

// What makes a table: a filter, or (sigma > 0) a Gaussian of that many samples.
struct Recipe {
    Filter filter = Filter::Nearest;
    bool antialias = false;
    double sigma = 0;

    auto operator<=>(const Recipe&) const = default;
};

std::vector<double> gaussian_weights(double sigma, std::int64_t i, std::int64_t& low) {
    const auto radius = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(3 * sigma)));
    low = i - radius;
    std::vector<double> weights;
    for (std::int64_t t = -radius; t <= radius; ++t) weights.push_back(std::exp(-0.5 * static_cast<double>(t * t) / (sigma * sigma)));
    return weights;
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

Table make_table(std::int64_t in, std::int64_t out, const Recipe& recipe) {
    const bool antialias = recipe.antialias;
    const double scale = static_cast<double>(in) / static_cast<double>(out);
    const double support = antialias ? std::max(1.0, scale) : 1.0;
    std::vector<std::vector<double>> rows(out);
    Table table;
    table.start.resize(out);
    for (std::int64_t i = 0; i < out; ++i) {
        std::int64_t low = 0;
        const std::vector<double> weights = recipe.sigma > 0 ? gaussian_weights(recipe.sigma, i, low)
                                                             : sample_weights(recipe.filter, scale, support, i, in, low);
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

// The table as a matrix [length, size]: mostly zeros.
Tensor dense_matrix(std::int64_t size, std::int64_t length, const Recipe& recipe) {
    const Table table = make_table(size, length, recipe);
    std::vector<float> dense(length * size, 0);
    for (std::int64_t i = 0; i < length; ++i)
        for (std::int64_t t = 0; t < table.taps; ++t) dense[i * size + table.start[i] + t] += table.weight[i * table.taps + t];
    return tensor(dense, {length, size});
}

// [N, C, H, W] times a matrix along an axis; rows of a channels-last map are multiplied as they lie.
Tensor multiply(const Tensor& x, const Tensor& matrix, int axis) {
    if (axis == 3) return matmul(x, transpose(matrix, 0, 1));
    const Shape& s = x.shape();
    const Tensor rows = reshape(permute(x, {0, 2, 3, 1}), {s[0], s[2], s[3] * s[1]});   // [N, H, W C]
    const Tensor y = matmul(broadcast_to(matrix, {s[0], matrix.size(0), s[2]}), rows);
    return permute(reshape(y, {s[0], matrix.size(0), s[3], s[1]}), {0, 3, 1, 2});
}

struct Resample final : Op {
    Resample(int axis, std::int64_t length, const Recipe& recipe) : axis(axis), length(length), recipe(recipe) {}
    const int axis;
    const std::int64_t length;
    const Recipe recipe;

    std::string_view name() const override { return "resample"; }
    Attrs attrs() const override {
        return {{"axis", std::int64_t{axis}}, {"length", length}, {"filter", static_cast<std::int64_t>(recipe.filter)},
                {"antialias", std::int64_t{recipe.antialias}}, {"sigma", recipe.sigma, false}};
    }
    Spec infer(const Specs& in) const override {
        expect(*this, in[0].shape.size() == 4 && is_float(in[0].dtype) && element_count(in[0].shape) > 0 && length > 0,
               "expected floating [N, C, H, W] with pixels, got {}", shown(in[0]));
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
    Tensor composite(const Tensors& in) const override {
        return cast(multiply(in[0], dense_matrix(in[0].shape()[axis], length, recipe), axis), in[0].dtype());
    }
    Tensors vjp(const Tensors& in, const Tensor& out, const Tensor& dy) const override {
        return {Op::vjp({in[0]}, out, dy)[0], {}, {}};
    }
};

// Makes leaves once per recipe and sizes, so that equal ones share them (and the graph nodes built on them).
template <typename Leaves>
Leaves remembered(std::int64_t in, std::int64_t out, const Recipe& recipe, Leaves (*make)(std::int64_t, std::int64_t, const Recipe&)) {
    static std::mutex mutex;
    static std::map<std::tuple<std::int64_t, std::int64_t, Recipe>, std::unique_ptr<Leaves>> known;
    const std::lock_guard lock(mutex);
    if (known.size() > 64) known.clear();
    auto& entry = known[{in, out, recipe}];
    if (!entry) entry = std::make_unique<Leaves>(make(in, out, recipe));
    return *entry;
}

using TableLeaves = std::pair<Tensor, Tensor>;

TableLeaves table_leaves(std::int64_t in, std::int64_t out, const Recipe& recipe) {
    const Table table = make_table(in, out, recipe);
    return {tensor_i32(table.start, {out}), tensor(table.weight, {out, table.taps})};
}

Tensor resample(const Tensor& x, int axis, std::int64_t length, const Recipe& recipe) {
    if (x.size(axis) == length && recipe.sigma == 0) return x;
    const auto [start, weight] = remembered(x.size(axis), length, recipe, table_leaves);
    return apply_op<Resample>({x, start, weight}, axis, length, recipe);
}

// Matrix products reach far more operations a second than the short sums, so a band that is not too thin of a matrix that
// is not too large goes through one.
Tensor blur(const Tensor& x, int axis, double sigma) {
    const Recipe recipe{.sigma = sigma};
    const std::int64_t size = x.size(axis);
    if (size > 2048 || static_cast<double>(size) > 32 * (6 * sigma + 1)) return resample(x, axis, size, recipe);
    return multiply(x, remembered(size, size, recipe, dense_matrix), axis);
}

}  // namespace

REGISTER_OP(resample, Resample)

Tensor resize(const Tensor& x, std::int64_t height, std::int64_t width, Filter filter, bool antialias) {
    check(x.rank() == 4 && height > 0 && width > 0 && x.element_count() > 0, ErrorCode::InvalidGraph,
          "resize: expected [N, C, H, W] and a size above 0, got {} to {} x {}", shown(x.spec()), width, height);
    const Recipe recipe{.filter = filter, .antialias = antialias || filter == Filter::Area};
    // The shorter intermediate first.
    if (height * x.size(3) <= width * x.size(2))
        return resample(resample(x, 2, height, recipe), 3, width, recipe);
    return resample(resample(x, 3, width, recipe), 2, height, recipe);
}

Tensor upsample_nearest(const Tensor& x, int factor) {
    const Shape& s = x.shape();
    const Tensor wide = broadcast_to(unsqueeze(x, {3, 5}), {s[0], s[1], s[2], factor, s[3], factor});
    return reshape(wide, {s[0], s[1], s[2] * factor, s[3] * factor});
}

Tensor gaussian_blur(const Tensor& x, double sigma) {
    check(x.rank() == 4, ErrorCode::InvalidGraph, "gaussian_blur: expected [N, C, H, W], got {}", shown(x.spec()));
    if (sigma <= 0) return x;
    return blur(blur(x, 2, sigma), 3, sigma);
}

}  // namespace gpu
