// Filters and convolutions in the frequency domain.
#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

// The next length from n on without prime factors above 7: what transforms are quick for.
std::int64_t quick_length(std::int64_t n) {
    for (;; ++n) {
        std::int64_t rest = n;
        for (const std::int64_t p : {2, 3, 5, 7})
            while (rest % p == 0) rest /= p;
        if (rest == 1) return n;
    }
}

// mask(k) -> mask(-k) along every axis.
Tensor mirrored(Tensor mask) {
    for (int axis = 0; axis < mask.rank(); ++axis) mask = roll(flip(mask, axis), 1, axis);
    return mask;
}

// Two real tensors share one complex transform where what is done to their spectra is that of a real filter: the results
// are again its real and imaginary parts.
template <typename Filter>
Tensor filter_in_pairs(const Tensor& x, bool may_pair, const Filter& filter) {
    if (!may_pair || x.size(0) % 2 != 0) return real_part(filter(complex(x, zeros_like(x))));
    const Tensors halves = chunk(x, 2, 0);
    const Tensor z = filter(complex(halves[0], halves[1]));
    return concat({real_part(z), imaginary_part(z)}, 0);
}

double weight_of(const LowPass& options, double d2, double box_distance) {
    switch (options.band) {
        case PassBand::Gaussian: return std::exp(-d2 / (2 * options.spatial * options.spatial));
        case PassBand::Butterworth: return 1 / (1 + std::pow(d2 / (options.spatial * options.spatial), options.order));
        case PassBand::Ideal: return d2 <= (options.published_ideal ? 2 * options.spatial : options.spatial * options.spatial) ? 1 : 0;
        case PassBand::Box: return box_distance;
    }
    return 0;
}

}  // namespace

Tensor low_pass_mask(const Shape& sizes, const LowPass& options) {
    const std::size_t dims = sizes.size();
    check(dims >= 1 && dims <= 3 && element_count(sizes) > 0, ErrorCode::InvalidGraph, "low_pass_mask: expected 1 to 3 sizes above 0, got {}",
          shown(sizes));
    check(options.spatial >= 0 && options.temporal >= 0 && options.order > 0, ErrorCode::InvalidGraph,
          "low_pass_mask: expected cut-offs of at least 0 and an order above 0, got {}, {} and {}", options.spatial, options.temporal, options.order);
    const bool nothing = options.spatial == 0 || (dims == 3 && options.temporal == 0);
    std::vector<float> mask(static_cast<std::size_t>(element_count(sizes)), 0);
    for (std::size_t at = 0; !nothing && at < mask.size(); ++at) {
        std::size_t rest = at;
        double d2 = 0, inside = 1;
        for (std::size_t axis = dims; axis-- > 0;) {
            const std::int64_t n = sizes[axis];
            const auto k = static_cast<std::int64_t>(rest % static_cast<std::size_t>(n));
            rest /= static_cast<std::size_t>(n);
            // The published filters count from the middle of the shifted spectrum: position s = k + n / 2.
            const std::int64_t shifted = (k + n / 2) % n;
            const bool is_time = dims == 3 && axis == 0;
            const double scale = is_time ? options.spatial / options.temporal : 1;
            const double distance = scale * (2 * static_cast<double>(shifted) / static_cast<double>(n) - 1);
            d2 += distance * distance;
            const double reach = is_time ? std::nearbyint(static_cast<double>(n / 2) * options.temporal) : std::nearbyint(static_cast<double>(n / 2) * options.spatial);
            const auto offset = static_cast<double>(shifted - n / 2);
            if (offset < -reach || offset >= reach) inside = 0;
        }
        mask[at] = static_cast<float>(weight_of(options, d2, inside));
    }
    return tensor(mask, sizes);
}

// x is real, so what a mask does to frequency k it does to -k as well, as far as the real part of the result shows: masks that
// are not symmetric may be replaced by their symmetric part.
Tensor filter_frequencies(const Tensor& x, const Tensor& mask) {
    const int dims = mask.rank();
    check(dims >= 1 && dims <= 3 && x.rank() >= dims && std::equal(mask.shape().begin(), mask.shape().end(), x.shape().end() - dims),
          ErrorCode::InvalidGraph, "filter_frequencies: expected a mask of x's last 1 to 3 axes, got {} and {}", shown(x.spec()), shown(mask.spec()));
    const Tensor even = unsqueeze((mask + mirrored(mask)) * 0.5, {-1});
    return filter_in_pairs(x, x.rank() > dims, [&](const Tensor& z) { return ifft(fft(z, dims) * even, dims); });
}

FrequencyParts split_frequencies(const Tensor& x, const Tensor& mask) {
    const Tensor low = filter_frequencies(x, mask);
    return {low, x - low};
}

Tensor fft_convolve(const Tensor& x, const Tensor& kernel, int dims, ConvolutionMode mode) {
    check(dims >= 1 && dims <= 3 && x.rank() >= dims && kernel.rank() >= dims && kernel.rank() <= x.rank() && kernel.element_count() > 0,
          ErrorCode::InvalidGraph, "fft_convolve: expected x [..., n1, ..., nd] and kernel [..., k1, ..., kd] (d = 1 to 3), got {}, {} and {}",
          shown(x.spec()), shown(kernel.spec()), dims);
    if (x.element_count() == 0) return x;
    const auto padded = [&](const Tensor& t) {
        Shape before(t.rank(), 0), after(t.rank(), 0);
        for (int i = 1; i <= dims; ++i) after[t.rank() - i] = quick_length(x.size(-i) + kernel.size(-i) - 1) - t.size(-i);
        return pad(t, before, after);
    };
    const Tensor wide_kernel = padded(kernel);
    const Tensor response = fft(complex(wide_kernel, zeros_like(wide_kernel)), dims);
    // The kernel is real; both halves of a pair need the same one.
    const bool shared = x.rank() > dims && (kernel.rank() < x.rank() || kernel.size(0) == 1);
    Tensor y = filter_in_pairs(padded(x), shared, [&](const Tensor& z) { return ifft(complex_multiply(fft(z, dims), response), dims); });
    for (int i = 1; i <= dims; ++i) {
        const std::int64_t start = mode == ConvolutionMode::Causal ? 0 : (kernel.size(-i) - 1) / 2;
        y = slice(y, -i, start, start + x.size(-i));
    }
    return y;
}

Tensor fft_gaussian_blur(const Tensor& x, double sigma) {
    check(x.rank() == 4, ErrorCode::InvalidGraph, "fft_gaussian_blur: expected [N, C, H, W], got {}", shown(x.spec()));
    if (sigma <= 0 || x.element_count() == 0) return x;
    const auto radius = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(3 * sigma)));
    std::vector<float> weights;
    double total = 0;
    for (std::int64_t t = -radius; t <= radius; ++t) total += std::exp(-0.5 * static_cast<double>(t * t) / (sigma * sigma));
    for (std::int64_t t = -radius; t <= radius; ++t)
        weights.push_back(static_cast<float>(std::exp(-0.5 * static_cast<double>(t * t) / (sigma * sigma)) / total));
    const Tensor row = tensor(weights, {1, 2 * radius + 1}), kernel = transpose(row, 0, 1) * row;
    const int border = static_cast<int>(radius);
    const Tensor wide = pad2d(x, border, border, border, border, PadMode::Replicate);
    const Tensor y = fft_convolve(wide, kernel, 2, ConvolutionMode::Same);
    return slice(slice(y, 2, radius, radius + x.size(2)), 3, radius, radius + x.size(3));
}

}  // namespace gpu
