#include "nodes/training/latent_basis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/sampling/noise.h"
#include "nodes/training/spread.h"

namespace nodes {
namespace {

using Matrix = LatentBasis::Matrix;

constexpr std::int64_t measured = 1024, varied = 16, at_once = 32;      // pictures
constexpr double step = 0.25;                                           // of the finite differences, in deviations
constexpr std::uint32_t sign_stream = 0x7369676e;

struct Spectrum {
    std::vector<double> values;      // descending
    Matrix vectors;                  // columns
};

// Eigenvalues of a symmetric matrix by Jacobi's rotations (Golub and Van Loan, Matrix Computations, 8.5).
Spectrum spectrum_of(Matrix m, std::size_t n) {
    Matrix v(n * n);
    for (std::size_t i = 0; i < n; ++i) v[i * n + i] = 1;
    for (int sweep = 0; sweep < 64; ++sweep) {
        double off = 0, all = 0;
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j) all += m[i * n + j] * m[i * n + j], off += i == j ? 0 : m[i * n + j] * m[i * n + j];
        if (off <= 1e-24 * all) break;
        for (std::size_t p = 0; p < n; ++p)
            for (std::size_t q = p + 1; q < n; ++q) {
                if (m[p * n + q] == 0) continue;
                const double half = (m[q * n + q] - m[p * n + p]) / (2 * m[p * n + q]);
                const double t = std::copysign(1.0, half) / (std::abs(half) + std::sqrt(half * half + 1)), c = 1 / std::sqrt(t * t + 1), s = t * c;
                const auto turn = [&](double& a, double& b) { const double x = a; a = c * x - s * b, b = s * x + c * b; };
                for (std::size_t k = 0; k < n; ++k) turn(m[k * n + p], m[k * n + q]);
                for (std::size_t k = 0; k < n; ++k) turn(m[p * n + k], m[q * n + k]);
                for (std::size_t k = 0; k < n; ++k) turn(v[k * n + p], v[k * n + q]);
            }
    }
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return m[a * n + a] > m[b * n + b]; });
    Spectrum result{std::vector<double>(n), Matrix(n * n)};
    for (std::size_t j = 0; j < n; ++j) {
        result.values[j] = m[order[j] * n + order[j]];
        for (std::size_t i = 0; i < n; ++i) result.vectors[i * n + j] = v[i * n + order[j]];
    }
    return result;
}

Matrix product(const Matrix& a, const Matrix& b, std::size_t n) {
    Matrix c(n * n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t k = 0; k < n; ++k)
            for (std::size_t j = 0; j < n; ++j) c[i * n + j] += a[i * n + k] * b[k * n + j];
    return c;
}

// Columns times numbers, and rows.
Matrix scaled_columns(Matrix m, const std::vector<double>& by) {
    for (std::size_t i = 0; i < m.size(); ++i) m[i] *= by[i % by.size()];
    return m;
}
Matrix transposed(const Matrix& m, std::size_t n) {
    Matrix t(n * n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) t[j * n + i] = m[i * n + j];
    return t;
}
std::vector<double> powers(const std::vector<double>& values, double exponent) {
    std::vector<double> result;
    for (const double value : values) result.push_back(std::pow(std::max(value, 1e-8 * values.front()), exponent));
    return result;
}

std::vector<double> doubles(const Tensor& x) {
    const std::vector<float> values = gpu::to_floats(x);
    return {values.begin(), values.end()};
}
Tensor as_tensor(const std::vector<double>& values, const gpu::Shape& shape) {
    return gpu::tensor(std::vector<float>(values.begin(), values.end()), shape);
}

// [C, rest] x [C, rest] -> [C, C], a mean over `count`.
Matrix gram(const Tensor& rows, std::int64_t count) {
    return doubles(gpu::matmul(rows, gpu::transpose(rows, 0, 1)) / static_cast<double>(count));
}

struct Latents {
    Tensor mean;               // [N, C, h, w]
    Tensor log_variance;       // [1, C, 1, 1]: its mean
};
Latents latents_of(const KlAutoencoder& network, const Dataset& dataset) {
    const std::vector<std::int64_t> indices = spread_items(measured, dataset);
    gpu::Tensors means, log_variances;
    for (std::size_t at = 0; at < indices.size(); at += at_once) {
        const auto part = std::span(indices).subspan(at, std::min<std::size_t>(at_once, indices.size() - at));
        const KlAutoencoder::Moments moments = network.moments(dataset.pictures(part) * 2.0 - 1.0);
        means.push_back(moments.mean), log_variances.push_back(gpu::sum(moments.logvar, {0, 2, 3}));
        gpu::evaluate({means.back(), log_variances.back()});
    }
    const Tensor all = gpu::concat(means, 0);
    const double count = static_cast<double>(gpu::element_count(all.shape())) / static_cast<double>(all.size(1));
    return {all, gpu::sum(gpu::concat(log_variances, 0), {0}) / count};
}

// What the pictures change by, squared, for changes along pairs of the columns of `directions`: [C, C]. Every cell of the latent moves at
// once with a sign of its own, so that what two cells do to one pixel cancels in the mean.
Matrix effect(const KlAutoencoder& network, const Tensor& latents, const Matrix& directions) {
    const Tensor z = gpu::slice(latents, 0, 0, std::min(varied, latents.size(0)));      // [N, C, h, w]
    const std::int64_t channels = z.size(1), cells = z.size(0) * z.size(2) * z.size(3);
    std::vector<float> signs(static_cast<std::size_t>(cells));
    philox_uniform({0, sign_stream, 0, 0}, signs);
    for (float& sign : signs) sign = sign < 0.5f ? -1.f : 1.f;
    const Tensor sign = gpu::tensor(signs, {z.size(0), 1, z.size(2), z.size(3)});
    gpu::Tensors changes;
    for (std::int64_t c = 0; c < channels; ++c) {
        std::vector<double> column;
        for (std::int64_t i = 0; i < channels; ++i) column.push_back(directions[static_cast<std::size_t>(i * channels + c)]);
        const Tensor move = step * sign * as_tensor(column, {1, channels, 1, 1});
        const Tensor change = (network.decode_raw(z + move) - network.decode_raw(z - move)) / (2 * step);      // [N, 3, H, W]
        changes.push_back(gpu::reshape(change, {1, gpu::element_count(change.shape())}));
        gpu::evaluate({changes.back()});
    }
    return gram(gpu::concat(changes, 0), cells);
}

}  // namespace

LatentBasis latent_basis(const KlAutoencoder& network, const Dataset& dataset, double spectrum) {
    const Latents latents = latents_of(network, dataset);
    const Tensor& z = latents.mean;
    const std::int64_t channels = z.size(1), cells = z.size(0) * z.size(2) * z.size(3);
    const auto n = static_cast<std::size_t>(channels);
    const Tensor mean = gpu::mean(z, {0, 2, 3});                                                                      // [1, C, 1, 1]
    const Matrix covariance = gram(gpu::reshape(gpu::permute(z - mean, {1, 0, 2, 3}), {channels, cells}), cells);
    LatentBasis basis{.centre = doubles(mean), .to = Matrix(n * n), .from = Matrix(n * n), .log_variance = doubles(latents.log_variance)};
    if (spectrum <= 0) {
        for (std::size_t i = 0; i < n * n; i += n + 1) {
            const double deviation = std::sqrt(covariance[i] + 1e-8);
            basis.to[i] = 1 / deviation, basis.from[i] = deviation;
        }
        return basis;
    }
    const Spectrum own = spectrum_of(covariance, n);
    const Matrix half = product(scaled_columns(own.vectors, powers(own.values, 0.5)), transposed(own.vectors, n), n);
    const Matrix whiten = product(scaled_columns(own.vectors, powers(own.values, -0.5)), transposed(own.vectors, n), n);
    const Spectrum seen = spectrum_of(effect(network, z, half), n);
    std::vector<double> loudness = powers(seen.values, spectrum / 2);
    double sum = 0;
    for (const double one : loudness) sum += one * one;
    for (double& one : loudness) one *= std::sqrt(static_cast<double>(n) / sum);
    std::vector<double> quiet;
    for (const double one : loudness) quiet.push_back(1 / one);
    basis.to = product(transposed(scaled_columns(seen.vectors, loudness), n), whiten, n);
    basis.from = product(half, scaled_columns(seen.vectors, quiet), n);
    return basis;
}

void change_latent_basis(NamedTensors& weights, const LatentBasis& basis) {
    const auto n = basis.centre.size();
    const auto channels = static_cast<std::int64_t>(n);
    // Variances of new channels are sums of old ones; to first order in logarithms their shares in the mean are the weights.
    Matrix shares(n * n);
    std::vector<double> log_sums(n);
    for (std::size_t i = 0; i < n; ++i) {
        double sum = 0, mean = 0;
        for (std::size_t j = 0; j < n; ++j) sum += shares[i * n + j] = basis.to[i * n + j] * basis.to[i * n + j] * std::exp(basis.log_variance[j]);
        for (std::size_t j = 0; j < n; ++j) mean += (shares[i * n + j] /= sum) * basis.log_variance[j];
        log_sums[i] = std::log(sum) - mean;
    }
    const gpu::Shape square{channels, channels}, column{channels, 1};
    const Tensor to = as_tensor(basis.to, square), share = as_tensor(shares, square), centre = as_tensor(basis.centre, column);
    const auto changed = [](Tensor& value, const Tensor& made) { value = gpu::reshape(made, value.shape()); };

    Tensor &in = weights.at("quant_conv.weight"), &in_bias = weights.at("quant_conv.bias");      // [2C, F, 1, 1], [2C]
    const std::int64_t features = in.size(1);
    const Tensor rows = gpu::reshape(in, {2 * channels, features}), biases = gpu::reshape(in_bias, {2 * channels, 1});
    const auto means = [&](const Tensor& t) { return gpu::slice(t, 0, 0, channels); };
    const auto variances = [&](const Tensor& t) { return gpu::slice(t, 0, channels, 2 * channels); };
    changed(in, gpu::concat({gpu::matmul(to, means(rows)), gpu::matmul(share, variances(rows))}, 0));
    changed(in_bias, gpu::concat({gpu::matmul(to, means(biases) - centre), gpu::matmul(share, variances(biases)) + as_tensor(log_sums, column)}, 0));

    Tensor &out = weights.at("post_quant_conv.weight"), &out_bias = weights.at("post_quant_conv.bias");      // [F, C, 1, 1], [F]
    const Tensor back = gpu::reshape(out, {out.size(0), channels});
    changed(out_bias, gpu::reshape(out_bias, {out.size(0), 1}) + gpu::matmul(back, centre));
    changed(out, gpu::matmul(back, as_tensor(basis.from, square)));
}

}  // namespace nodes
