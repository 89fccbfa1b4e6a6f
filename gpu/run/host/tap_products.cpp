#include "gpu/run/host/tap_products.h"

#include <algorithm>
#include <array>

#include "gpu/base/divide.h"
#include "gpu/run/host/column_panels.h"
#include "gpu/run/host/interleave.h"
#include "gpu/run/host/parallel.h"
#include "gpu/run/host/scratch.h"
#include "gpu/run/host/tile.h"

namespace gpu {
namespace {

constexpr std::int64_t part_rows = 32;                         // outputs at a time
constexpr std::int64_t chunk_terms = 160;                      // pixels at a time: a panel's stay in the first cache
constexpr std::int64_t group = 16;                             // pixels that a thread packs at a time
constexpr std::int64_t most_pixels = 512;                      // of windows of several taps
constexpr std::int64_t most_pixels_in_place = 8192;
constexpr std::size_t most_scratch = std::size_t{32} << 20;

// Whole vectors; a call of memcpy() for each would take longer.
void copy_vectors(const float* from, std::int64_t count, float* to) {
    for (std::int64_t i = 0; i < count; i += 4) std::copy_n(from + i, 4, to + i);
}

bool lies_in_rows(const HostOperand& map) { return map.strides == dense_strides(map.shape, channels_last(map.shape.size())); }

// The convolution of one tap that sees each pixel once, where it is: nothing but a product.
bool is_product(const ConvGeometry& g, const Shape& taps) {
    const Shape zeros(g.rank(), 0);
    return element_count(taps) == 1 && g.stride == Shape(g.rank(), 1) && g.before == zeros && g.after == zeros;
}

// Maps are read in place, or copied so that what a product reads lies in order: dy in parts of 32 channels, x in panels for each tap.
class TapProducts {
public:
    TapProducts(const ConvProblem& problem, const HostCall& call)
        : p_(problem), x_(call.in[0]), dy_(call.in[1]), to_(reinterpret_cast<float*>(call.out.data)), panels_(problem.w[1]),
          in_place_(is_product(problem.geometry, spatial(problem.w)) && lies_in_rows(call.in[0]) && lies_in_rows(call.in[1])),
          taps_(element_count(spatial(problem.w))), pixels_(element_count(problem.y) / problem.y[1]), parts_(ceil_divide(problem.w[0], part_rows)) {}

    bool pays() const {
        if (pixels_ == 0 || p_.w[1] < 32 || p_.w[1] % tile_kernels().lanes != 0) return false;
        return in_place_ ? pixels_ <= most_pixels_in_place : (taps_ == 1 || pixels_ <= most_pixels) && bytes() <= most_scratch;
    }

    void run() {
        const auto products = [&](const std::vector<float*>& sums) {
            parallel_for(parts_ * panels_.count, [&](std::int64_t item, int thread) {
                sum(item / panels_.count, item % panels_.count, sums.empty() ? nullptr : sums[static_cast<std::size_t>(thread)]);
            });
        };
        if (in_place_) return products({});
        HostScratch scratch(bytes());
        x_packed_ = reinterpret_cast<float*>(scratch.take(x_bytes()));
        dy_packed_ = reinterpret_cast<float*>(scratch.take(dy_bytes()));
        std::vector<float*> sums;
        for (int thread = 0; thread < parallel_threads(); ++thread) sums.push_back(reinterpret_cast<float*>(scratch.take(sums_bytes())));
        parallel_for(ceil_divide(pixels_, group), [&](std::int64_t item, int) {
            for (std::int64_t pixel = item * group; pixel < std::min(pixels_, (item + 1) * group); ++pixel) pack(pixel);
        });
        products(sums);
    }

private:
    std::size_t x_bytes() const { return static_cast<std::size_t>(taps_ * pixels_ * p_.w[1]) * sizeof(float); }
    std::size_t dy_bytes() const { return static_cast<std::size_t>(parts_ * part_rows * pixels_) * sizeof(float); }
    std::size_t bytes() const { return HostScratch::padded(x_bytes()) + HostScratch::padded(dy_bytes()) + static_cast<std::size_t>(parallel_threads()) * sums_bytes(); }
    std::size_t sums_bytes() const { return HostScratch::padded(static_cast<std::size_t>(taps_ * part_rows * panels_.widest()) * sizeof(float)); }

    // A pixel of the result and those of the map that its window sees.
    void pack(std::int64_t pixel) {
        const ConvGeometry& g = p_.geometry;
        const std::size_t rank = g.rank();
        std::array<std::int64_t, 3> at{};
        std::int64_t rest = pixel, from = 0;
        for (std::size_t d = rank; d-- > 0; rest /= p_.y[d + 2]) {
            at[d] = rest % p_.y[d + 2];
            from += at[d] * dy_.strides[d + 2];
        }
        const std::int64_t picture = rest;
        const float* row = reinterpret_cast<const float*>(dy_.data) + picture * dy_.strides[0] + from;
        for (std::int64_t part = 0; part < parts_; ++part) {
            const std::int64_t first = part * part_rows, count = std::min(part_rows, p_.w[0] - first);
            float* const to = dy_packed_ + (part * pixels_ + pixel) * part_rows;
            count == part_rows ? copy_vectors(row + first, part_rows, to) : static_cast<void>(std::copy_n(row + first, count, to));
        }
        for (std::int64_t t = 0; t < taps_; ++t) {
            rest = t, from = picture * x_.strides[0];
            bool inside = true;
            for (std::size_t d = rank; d-- > 0; rest /= p_.w[d + 2]) {
                const std::int64_t position = at[d] * g.stride[d] + rest % p_.w[d + 2] * g.dilation[d] - g.before[d];
                inside = inside && position >= 0 && position < p_.x[d + 2];
                from += position * x_.strides[d + 2];
            }
            for (std::int64_t panel = 0; panel < panels_.count; ++panel) {
                const std::int64_t first = panels_.first(panel), width = panels_.width(panel);
                float* const to = x_packed_ + (t * p_.w[1] + first) * pixels_ + pixel * width;
                if (inside)
                    copy_vectors(reinterpret_cast<const float*>(x_.data) + from + first, width, to);
                else
                    std::fill_n(to, width, 0.0f);
            }
        }
    }

    // All taps of 32 outputs and a panel of inputs.
    void sum(std::int64_t part, std::int64_t panel, float* sums) const {
        const std::int64_t row = part * part_rows, rows = std::min(part_rows, p_.w[0] - row);
        const std::int64_t column = panels_.first(panel), columns = panels_.width(panel), channels = p_.w[1];
        float* const to = taps_ == 1 ? to_ + row * channels + column : sums;
        const std::int64_t to_row = taps_ == 1 ? channels : columns, to_tap = rows * columns;
        const float* const a = in_place_ ? reinterpret_cast<const float*>(dy_.data) + row : dy_packed_ + part * pixels_ * part_rows;
        const float* const b = in_place_ ? reinterpret_cast<const float*>(x_.data) + column : x_packed_ + column * pixels_;
        const std::int64_t a_term = in_place_ ? p_.w[0] : part_rows, b_term = in_place_ ? channels : columns;
        for (std::int64_t t = 0; t < taps_; ++t)
            for (std::int64_t first = 0; first < pixels_; first += chunk_terms)
                tile_kernels().product({.rows = rows, .columns = columns, .terms = std::min(chunk_terms, pixels_ - first),
                                        .a = a + first * a_term, .a_row = 1, .a_term = a_term,
                                        .b = b + t * channels * pixels_ + first * b_term, .b_term = b_term,
                                        .c = to + t * to_tap, .c_row = to_row, .accumulate = first > 0});
        if (taps_ == 1) return;
        for (std::int64_t r = 0; r < rows; ++r) interleave(sums + r * columns, to_tap, taps_, columns, to_ + ((row + r) * channels + column) * taps_, taps_, false);
    }

    const ConvProblem& p_;
    const HostOperand &x_, &dy_;
    float* const to_;
    const ColumnPanels panels_;
    const bool in_place_;
    const std::int64_t taps_, pixels_, parts_;
    float *x_packed_ = nullptr, *dy_packed_ = nullptr;
};

}  // namespace

bool run_tap_products(const HostCall& call) {
    const HostOperand &x = call.in[0], &dy = call.in[1];
    const ConvProblem problem{ConvGeometry::from_params(call.kernel.params), x.shape, call.out.shape, dy.shape};
    if (problem.geometry.groups != 1 || element_count(problem.w) == 0 || x.strides[1] != 1 || dy.strides[1] != 1 || call.out.strides != dense_strides(problem.w, row_major(problem.w.size()))) return false;
    TapProducts products(problem, call);
    if (!products.pays()) return false;
    products.run();
    return true;
}

}  // namespace gpu
