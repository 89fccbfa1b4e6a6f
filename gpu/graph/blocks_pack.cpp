// Writing blocks: Q8_0 by its largest value, Q4_K by a small search for the scales of least squared error.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "gpu/base/error.h"
#include "gpu/graph/blocks.h"
#include "gpu/graph/dtype.h"

namespace gpu {
namespace {

using Byte = std::uint8_t;

// Stores an F16 and returns what it holds.
float put_half(Byte* at, float value) {
    const std::uint16_t bits = float_to_f16(value);
    at[0] = static_cast<Byte>(bits);
    at[1] = static_cast<Byte>(bits >> 8);
    const float stored = f16_to_float(bits);
    check(std::isfinite(stored), ErrorCode::Numeric, "pack: expected values that an F16 scale reaches, got a scale of {}", value);
    return stored;
}

int nearest(float value, float scale, int low, int high) {
    return scale > 0 ? std::clamp(static_cast<int>(std::lrint(value / scale)), low, high) : std::clamp(0, low, high);
}

void q8_0(const float* x, Byte* b) {
    float largest = 0;
    for (int i = 0; i < 32; ++i) largest = std::max(largest, std::abs(x[i]));
    const float d = put_half(b, largest / 127);
    for (int i = 0; i < 32; ++i) b[2 + i] = static_cast<Byte>(nearest(x[i], d, -127, 127));
}

// x ~ scale q - min with q in 0..15 and min >= 0.
struct Fit {
    float scale = 0, min = 0;
    double error = std::numeric_limits<double>::infinity();
};

// The scale and minimum of least squared error for the integers that `guess` gives.
Fit refined(const float* x, const Fit& guess) {
    double sum_q = 0, sum_qq = 0, sum_x = 0, sum_qx = 0;
    std::array<int, 32> q{};
    for (int i = 0; i < 32; ++i) {
        q[i] = nearest(x[i] + guess.min, guess.scale, 0, 15);
        sum_q += q[i];
        sum_qq += static_cast<double>(q[i]) * q[i];
        sum_x += x[i];
        sum_qx += static_cast<double>(q[i]) * x[i];
    }
    Fit fit = guess;
    const double determinant = 32 * sum_qq - sum_q * sum_q;
    if (determinant > 0) {
        double scale = (32 * sum_qx - sum_q * sum_x) / determinant, min = (sum_q * sum_qx - sum_qq * sum_x) / determinant;
        if (min < 0) {   // not to be had: the best line through zero
            min = 0;
            scale = sum_qx / sum_qq;
        }
        if (scale > 0) fit = {static_cast<float>(scale), static_cast<float>(min)};
    }
    fit.error = 0;
    for (int i = 0; i < 32; ++i) {
        const double off = static_cast<double>(fit.scale) * nearest(x[i] + fit.min, fit.scale, 0, 15) - fit.min - x[i];
        fit.error += off * off;
    }
    return fit;
}

// Tries ranges a little shorter and longer than that of the values: rounding a few far ones costs less than a coarse grid.
Fit best_fit(const float* x) {
    const auto [low, high] = std::minmax_element(x, x + 32);
    const float min = std::max(0.0f, -*low), range = std::max(*high, 0.0f) + min;
    if (range == 0) return {0, 0, 0};
    Fit best;
    for (int trial = 0; trial <= 20; ++trial) {
        const Fit fit = refined(x, {range / (14.0f + 0.1f * static_cast<float>(trial)), min});
        if (fit.error < best.error) best = fit;
    }
    return best;
}

void q4_k(const float* x, Byte* b) {
    std::array<Fit, 8> fits;
    float largest_scale = 0, largest_min = 0;
    for (int run = 0; run < 8; ++run) {
        fits[run] = best_fit(x + run * 32);
        largest_scale = std::max(largest_scale, fits[run].scale);
        largest_min = std::max(largest_min, fits[run].min);
    }
    const float d = put_half(b, largest_scale / 63), dmin = put_half(b + 2, largest_min / 63);
    Byte *packed = b + 4, *nibbles = b + 16;
    for (int run = 0; run < 8; ++run) {
        const int scale = nearest(fits[run].scale, d, 0, 63), min = nearest(fits[run].min, dmin, 0, 63);
        if (run < 4) {
            packed[run] |= static_cast<Byte>(scale);
            packed[run + 4] |= static_cast<Byte>(min);
        } else {
            packed[run + 4] = static_cast<Byte>((scale & 15) | (min & 15) << 4);
            packed[run - 4] |= static_cast<Byte>(scale >> 4 << 6);
            packed[run] |= static_cast<Byte>(min >> 4 << 6);
        }
        for (int i = 0; i < 32; ++i) {
            const int q = nearest(x[run * 32 + i] + dmin * static_cast<float>(min), d * static_cast<float>(scale), 0, 15);
            nibbles[run / 2 * 32 + i] |= static_cast<Byte>(run % 2 ? q << 4 : q);
        }
    }
}

}  // namespace

bool can_pack(BlockFormat format) { return format == BlockFormat::Q8_0 || format == BlockFormat::Q4_K; }

std::vector<std::byte> pack(BlockFormat format, std::span<const float> values) {
    check(can_pack(format), ErrorCode::InvalidGraph, "pack: expected Q8_0 or Q4_K, got {}", name_of(format));
    const std::size_t elements = elements_of(format);
    check(values.size() % elements == 0, ErrorCode::InvalidGraph, "pack: expected a multiple of {} elements for {}, got {}",
          elements, name_of(format), values.size());
    for (const float value : values)
        check(std::isfinite(value), ErrorCode::Numeric, "pack: expected finite numbers, got {}", value);
    std::vector<std::byte> blocks(bytes_of(format, values.size()), std::byte{0});
    for (std::size_t at = 0; at < values.size(); at += elements) {
        auto* block = reinterpret_cast<Byte*>(blocks.data() + bytes_of(format, at));
        (format == BlockFormat::Q8_0 ? q8_0 : q4_k)(values.data() + at, block);
    }
    return blocks;
}

}  // namespace gpu
