#include "gpu/train/dynamic_code.h"

#include <numbers>

#include "gpu/ops.h"

namespace gpu::train {
namespace {

// Positive codes are counted from 1 in order of value. With `n` = 2^d values in decade i (d = i with a sign, i + 1
// without), they are 10^(i - 6) (0.1 + 0.9 (k + 0.5) / n) for k < n, numbered so that code + `first` - 1 = n + k.
// Behind them, code `last` is 1 itself.
struct Layout {
    double first;   // values in the lowest decade
    double last;
};
constexpr Layout layout(bool with_sign) { return with_sign ? Layout{1, 128} : Layout{2, 255}; }
constexpr double zero_of_sign = 127;   // code 0 of signed codes, which lie in -127 .. 128

constexpr double decades = 7;

Tensor exp10(const Tensor& x) { return exp(x * std::numbers::ln10); }
Tensor exp2_of_integer(const Tensor& x) { return round(exp(x * std::numbers::ln2)); }

// The value of codes 0 .. last.
Tensor value_of(const Tensor& code, const Layout& l) {
    const Tensor place = maximum(code, 1.0) + (l.first - 1);                             // n + k
    const Tensor d = floor(log(place + 0.5) * std::numbers::log2e);                       // half a step off every power of 2
    const Tensor n = exp2_of_integer(d);
    const Tensor decade = d - (l.first - 1) - (decades - 1);
    const Tensor value = exp10(decade) * (0.1 + 0.9 * (place - n + 0.5) / n);
    const Tensor low = where(less(code, full({1, 1}, 0.5)), zeros({1, 1}), value);
    return where(less(full({1, 1}, l.last - 0.5), code), ones({1, 1}), low);
}

// The nearest code of values in [0, 1].
Tensor nearest(const Tensor& x, const Layout& l) {
    const Tensor decade = clamp(floor(log(maximum(x, 1e-12)) * std::numbers::log10e), -decades, -1.0);   // x in 10^decade .. 10^(decade + 1)
    const Tensor n = exp2_of_integer(decade + (decades + l.first - 1));
    const Tensor at = (x * exp10(-1.0 - decade) - 0.1) * (1 / 0.9) * n;                    // in 0 .. n across the decade
    const Tensor k = clamp(floor(at), 0.0, 127.0);
    const Tensor code = n + minimum(k, n - 1.0) - (l.first - 1);
    // Near the lower edge of a decade the highest value of the one below is nearer: the middle lies at 0.18 / 0.9. Below
    // the lowest value the middle to 0 lies at half of that value; above the highest, 1 is nearer from 0.225 / 0.9 on.
    const Tensor lowest = full({1, 1}, -decades + 0.5), highest = full({1, 1}, -1.5);
    const Tensor half_of_first = (0.5 * (0.1 + 0.45 / n) - 0.1) * (1 / 0.9) * n;
    const Tensor edge = where(less(decade, lowest), half_of_first, full({1, 1}, 0.2));
    const Tensor from_below = where(less(at, edge), code - 1.0, code);
    const Tensor to_one = less(n - 0.25, at);
    return where(to_one, where(less(highest, decade), full({1, 1}, l.last), from_below), from_below);
}

}  // namespace

DynamicCodes encode(const Tensor& x, bool with_sign) {
    const Tensor scales = max(abs(x), {1});
    const Tensor unit = x / maximum(scales, 1e-37);
    if (!with_sign) return {cast(nearest(unit, layout(false)), Dtype::U8), scales};
    // -1 has no code of its own; the nearest is -127.
    const Tensor code = nearest(abs(unit), layout(true));
    const Tensor negative = less(unit, zeros({1, 1}));
    return {cast(where(negative, zero_of_sign - minimum(code, 127.0), zero_of_sign + code), Dtype::U8), scales};
}

Tensor decode(const DynamicCodes& coded, bool with_sign) {
    const Tensor code = cast(coded.codes, Dtype::F32);
    if (!with_sign) return value_of(code, layout(false)) * coded.scales;
    const Tensor from_zero = code - zero_of_sign;
    return sign(from_zero) * value_of(abs(from_zero), layout(true)) * coded.scales;
}

}  // namespace gpu::train
