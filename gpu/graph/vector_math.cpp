#include "gpu/graph/vector_math.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "gpu/graph/vector_kernels.h"

// Compiled with -O3 and without traps and errno (CMakeLists.txt), so that these loops become vector code. The loader picks
// the clone that suits the processor.
#if defined(__x86_64__) && defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTOR_CLONES __attribute__((target_clones("avx512f", "arch=x86-64-v3", "default")))
#else
#define VECTOR_CLONES
#endif

namespace gpu {
namespace {

// The functions below work in double precision: they come within 0.51 units in the last place of a float. Shifts are logical
// ones of 64 bits and numbers become whole in their low bits, since AVX2 has no other forms.
constexpr double to_whole = 6755399441055744.0;   // 1.5 * 2^52

// log2 x = n + log2 m for a positive, finite x = 2^n m, sqrt(1/2) <= m < sqrt(2); ln m = 2 atanh((m - 1) / (m + 1)) by its series.
inline double log2_of(float x) {
    constexpr std::uint64_t bias = 1024ull << 52;
    const auto bits = std::bit_cast<std::uint64_t>(static_cast<double>(x));
    const std::uint64_t exponent = (bits - std::bit_cast<std::uint64_t>(0.7071067811865476) + bias) >> 52;
    const double n = std::bit_cast<double>(exponent | 0x4330000000000000ull) - (4503599627370496.0 + 1024.0);
    const double m = std::bit_cast<double>(bits - (exponent << 52) + bias);
    const double s = (m - 1) / (m + 1), t = s * s;
    const double series = (((((t / 13 + 1.0 / 11) * t + 1.0 / 9) * t + 1.0 / 7) * t + 1.0 / 5) * t + 1.0 / 3) * t + 1;
    return n + s * series * 2.8853900817779268;   // 2 / ln 2
}

inline float log_of(float x) {
    const float y = static_cast<float>(log2_of(x) * 0.6931471805599453);
    const float odd = x == 0 ? -HUGE_VALF : x < 0 ? std::bit_cast<float>(0x7fc00000) : x;   // infinity and NaN stay what they are
    return x > 0 && x < HUGE_VALF ? y : odd;
}

// 2^t with t = n + f, |f| <= 1/2; 2^f by its series. Beyond what a float holds it overflows and vanishes as it should.
inline float exp2_of(double t) {
    const double c = t < -200 ? -200.0 : t > 200 ? 200.0 : t;
    const double shifted = c + to_whole, u = (c - (shifted - to_whole)) * 0.6931471805599453;
    const std::uint64_t scale = (std::bit_cast<std::uint64_t>(shifted) + 1023) << 52;
    const double p = (((((((u / 40320 + 1.0 / 5040) * u + 1.0 / 720) * u + 1.0 / 120) * u + 1.0 / 24) * u + 1.0 / 6) * u + 0.5) * u + 1) * u + 1;
    return static_cast<float>(p * std::bit_cast<double>(scale));
}

inline float power_of(float x, float y) { return exp2_of(static_cast<double>(y) * log2_of(x)); }
inline bool power_is_plain(float x, float y) { return (x > 0) & (x < HUGE_VALF) & (std::fabs(y) < HUGE_VALF); }

// sin(x + quarters pi / 2) for |x| <= largest_angle: what is left of x beyond multiples of pi / 2, which are taken off in two
// parts, the first of 33 bits, and the series of the sine and the cosine there.
constexpr float largest_angle = 1e6f;
inline float sine_of(float x, int quarters) {
    const double d = x, shifted = d * 0.6366197723675814 + to_whole, n = shifted - to_whole;
    const double r = d - n * 1.57079632673412561417 - n * 6.07710050650619224932e-11, t = r * r;
    const std::uint64_t turn = std::bit_cast<std::uint64_t>(shifted) + static_cast<std::uint64_t>(quarters);
    const double sine = (((((t / -39916800 + 1.0 / 362880) * t - 1.0 / 5040) * t + 1.0 / 120) * t - 1.0 / 6) * t + 1) * r;
    const double cosine = (((((t / -3628800 + 1.0 / 40320) * t - 1.0 / 720) * t + 1.0 / 24) * t - 0.5) * t) + 1;
    const double y = (turn & 1) != 0 ? cosine : sine;
    return static_cast<float>(std::bit_cast<double>(std::bit_cast<std::uint64_t>(y) ^ (turn & 2) << 62));
}
inline bool angle_is_plain(float x) { return std::fabs(x) <= largest_angle; }

#define UNARY(name, expression)                                                            \
    VECTOR_CLONES void name(const float* const* in, float* out, std::size_t count) {       \
        const float* a = in[0];                                                            \
        for (std::size_t i = 0; i < count; ++i) {                                          \
            const float x = a[i];                                                          \
            out[i] = (expression);                                                         \
        }                                                                                  \
    }
#define BINARY_FORM(name, first, second, expression)                                       \
    VECTOR_CLONES void name(const float* const* in, float* out, std::size_t count) {       \
        const float *a = in[0], *b = in[1];                                                \
        [[maybe_unused]] const float a0 = count ? *a : 0, b0 = count ? *b : 0;             \
        for (std::size_t i = 0; i < count; ++i) {                                          \
            const float x = first, y = second;                                             \
            out[i] = (expression);                                                         \
        }                                                                                  \
    }
// As these, for expressions that hold where `plain` does: elements elsewhere, which are few, are computed one by one by `exact`.
constexpr std::size_t together = 128;
#define CHECKED_FORM(name, second_input, first, second, plain, expression, exact)          \
    VECTOR_CLONES void name(const float* const* in, float* out, std::size_t count) {       \
        const float *a = in[0], *b [[maybe_unused]] = in[second_input];                    \
        [[maybe_unused]] const float a0 = count ? *a : 0, b0 = count ? *b : 0;             \
        float xs[together] = {}, ys[together] = {};   /* out may be an input */            \
        for (std::size_t from = 0; from < count; from += together) {                       \
            const std::size_t n = std::min(together, count - from);                        \
            for (std::size_t k = 0; k < n; ++k) {                                          \
                [[maybe_unused]] const std::size_t i = from + k;                           \
                xs[k] = first;                                                             \
                ys[k] = second;                                                            \
            }                                                                              \
            int all = 1;                                                                   \
            for (std::size_t k = 0; k < n; ++k) {                                          \
                const float x = xs[k], y [[maybe_unused]] = ys[k];                         \
                out[from + k] = (expression);                                              \
                all &= (plain) ? 1 : 0;                                                    \
            }                                                                              \
            if (all) continue;                                                             \
            for (std::size_t k = 0; k < n; ++k) {                                          \
                const float x = xs[k], y [[maybe_unused]] = ys[k];                         \
                if (!(plain)) out[from + k] = (exact);                                     \
            }                                                                              \
        }                                                                                  \
    }
#define ANGLE(name, quarters, exact) CHECKED_FORM(name, 0, a[i], 0.0f, angle_is_plain(x), sine_of(x, quarters), exact)
#define POWER(name, first, second) CHECKED_FORM(name, 1, first, second, power_is_plain(x, y), power_of(x, y), std::pow(x, y))
// Both operands as arrays, the first as one number, the second as one number.
#define BINARY(name, expression)                        \
    BINARY_FORM(name, a[i], b[i], expression)           \
    BINARY_FORM(name##_first_single, a0, b[i], expression) \
    BINARY_FORM(name##_second_single, a[i], b0, expression)

BINARY(add, x + y)
BINARY(sub, x - y)
BINARY(mul, x * y)
BINARY(div, x / y)
BINARY(maximum, x < y ? y : x)
BINARY(minimum, y < x ? y : x)
POWER(power, a[i], b[i])
POWER(power_first_single, a0, b[i])
POWER(power_second_single, a[i], b0)
UNARY(copy, x)
UNARY(neg, -x)
UNARY(absolute, std::fabs(x))
UNARY(sign, x > 0 ? 1.0f : x < 0 ? -1.0f : 0.0f)
UNARY(floor_, std::floor(x))
UNARY(ceil_, std::ceil(x))
UNARY(round_, std::nearbyint(x))
UNARY(sqrt_, std::sqrt(x))
UNARY(rsqrt, 1.0f / std::sqrt(x))
UNARY(log_, log_of(x))
ANGLE(sin_, 0, std::sin(x))
ANGLE(cos_, 1, std::cos(x))
UNARY(relu, x > 0 ? x : x != x ? x : 0.0f)
BINARY(less, x < y ? 1.0f : 0.0f)
BINARY(less_equal, x <= y ? 1.0f : 0.0f)
BINARY(equal, x == y ? 1.0f : 0.0f)

VECTOR_CLONES void where(const float* const* in, float* out, std::size_t count) {
    const float *condition = in[0], *a = in[1], *b = in[2];
    for (std::size_t i = 0; i < count; ++i) {
        const float x = a[i], y = b[i];
        out[i] = condition[i] != 0 ? x : y;
    }
}

VECTOR_CLONES void where_last_single(const float* const* in, float* out, std::size_t count) {
    const float *condition = in[0], *a = in[1];
    const float y = count ? *in[2] : 0;
    for (std::size_t i = 0; i < count; ++i) {
        const float x = a[i];
        out[i] = condition[i] != 0 ? x : y;
    }
}

// Two operations of arithmetic: what the second takes beside the first's result comes third. `out` may be one of the inputs.
#define CHAIN_FORM(name, second, third, expression)                                        \
    VECTOR_CLONES void name(const float* const* in, float* out, std::size_t count) {       \
        const float *a = in[0], *b = in[1], *c = in[2];                                    \
        [[maybe_unused]] const float b0 = count ? *b : 0, c0 = count ? *c : 0;             \
        _Pragma("GCC ivdep")                                                               \
        for (std::size_t i = 0; i < count; ++i) {                                          \
            const float x = a[i], y = second, z = third;                                   \
            out[i] = (expression);                                                         \
        }                                                                                  \
    }
#define CHAIN(name, expression)                              \
    CHAIN_FORM(name, b[i], c[i], expression)                 \
    CHAIN_FORM(name##_second_single, b0, c[i], expression)   \
    CHAIN_FORM(name##_third_single, b[i], c0, expression)    \
    CHAIN_FORM(name##_both_single, b0, c0, expression)

CHAIN(add_add, x + y + z)
CHAIN(add_sub, x + y - z)
CHAIN(add_mul, (x + y) * z)
CHAIN(sub_add, x - y + z)
CHAIN(sub_sub, x - y - z)
CHAIN(sub_mul, (x - y) * z)
CHAIN(mul_add, x * y + z)
CHAIN(mul_sub, x * y - z)
CHAIN(mul_mul, x * y * z)

#undef CHAIN
#undef CHAIN_FORM
#undef UNARY
#undef BINARY_FORM
#undef CHECKED_FORM
#undef ANGLE
#undef POWER
#undef BINARY

struct Row {
    std::string_view name;
    VectorFunction arrays;
    VectorFunction first_single = nullptr, second_single = nullptr, third_single = nullptr;
};

#define BINARY_ROW(name, function) {name, function, function##_first_single, function##_second_single}

const Row* find_row(std::string_view name) {
    static const Row rows[] = {
        BINARY_ROW("add", add),
        BINARY_ROW("sub", sub),
        BINARY_ROW("mul", mul),
        BINARY_ROW("div", div),
        BINARY_ROW("max", maximum),
        BINARY_ROW("min", minimum),
        BINARY_ROW("pow", power),
        BINARY_ROW("less", less),
        BINARY_ROW("less_equal", less_equal),
        BINARY_ROW("equal", equal),
        {"copy", copy},
        {"neg", neg},
        {"abs", absolute},
        {"sign", sign},
        {"floor", floor_},
        {"ceil", ceil_},
        {"round", round_},
        {"sqrt", sqrt_},
        {"rsqrt", rsqrt},
        {"exp", vector_kernels().exp},
        {"log", log_},
        {"sin", sin_},
        {"cos", cos_},
        {"tanh", vector_kernels().tanh},
        {"sigmoid", vector_kernels().sigmoid},
        {"relu", relu},
        {"erf", vector_kernels().erf},
        {"where", where, nullptr, nullptr, where_last_single},
    };
    const Row* const found = std::find_if(std::begin(rows), std::end(rows), [&](const Row& row) { return row.name == name; });
    return found == std::end(rows) ? nullptr : found;
}

#undef BINARY_ROW

enum Operation : std::size_t { Add, Sub, Mul };
constexpr std::string_view operation_names[] = {"add", "sub", "mul"};

struct Chain {
    VectorFunction arrays, second_single, third_single, both_single;
};
#define CHAIN_ROW(name) {name, name##_second_single, name##_third_single, name##_both_single}
const Chain chains[3][3] = {{CHAIN_ROW(add_add), CHAIN_ROW(add_sub), CHAIN_ROW(add_mul)},
                            {CHAIN_ROW(sub_add), CHAIN_ROW(sub_sub), CHAIN_ROW(sub_mul)},
                            {CHAIN_ROW(mul_add), CHAIN_ROW(mul_sub), CHAIN_ROW(mul_mul)}};
#undef CHAIN_ROW

// Functions with clones are compared as they stand in a table: an address that the compiler knows to be theirs may be that of the stub which calls them.
[[gnu::noipa]] const Chain& chain_of(std::size_t first, std::size_t second) { return chains[first][second]; }

// Which operation a function is, and whether an operand is one number; none for others.
struct Form {
    std::size_t operation = 0;
    bool first_single = false, second_single = false;
};
std::optional<Form> form_of(VectorFunction function) {
    static const std::vector<std::pair<VectorFunction, Form>> forms = [] {
        std::vector<std::pair<VectorFunction, Form>> all;
        for (const std::size_t operation : {Add, Sub, Mul})
            for (const unsigned singles : {0u, 1u, 2u})
                all.emplace_back(vector_function(operation_names[operation], singles), Form{operation, singles == 1, singles == 2});
        return all;
    }();
    const auto found = std::find_if(forms.begin(), forms.end(), [&](const auto& one) { return one.first == function; });
    return found == forms.end() ? std::nullopt : std::optional(found->second);
}

// Four rows at a time, in their order: a total is read and written once for them.
#define FOLD_ROWS(name, expression)                                                                                 \
    VECTOR_CLONES void name(float* total, const float* from, std::size_t stride, std::size_t rows, std::size_t count) { \
        std::size_t row = 0;                                                                                        \
        for (; row + 4 <= rows; row += 4, from += 4 * stride) {                                                     \
            const float *a = from, *b = a + stride, *c = b + stride, *d = c + stride;                               \
            float* const __restrict to = total;                                                                     \
            for (std::size_t k = 0; k < count; ++k) {                                                               \
                float x = to[k];                                                                                    \
                { const float y = a[k]; x = (expression); }                                                         \
                { const float y = b[k]; x = (expression); }                                                         \
                { const float y = c[k]; x = (expression); }                                                         \
                { const float y = d[k]; x = (expression); }                                                         \
                to[k] = x;                                                                                          \
            }                                                                                                       \
        }                                                                                                           \
        for (; row < rows; ++row, from += stride)                                                                   \
            for (std::size_t k = 0; k < count; ++k) {                                                               \
                const float x = total[k], y = from[k];                                                              \
                total[k] = (expression);                                                                            \
            }                                                                                                       \
    }
FOLD_ROWS(sum_rows, x + y)
FOLD_ROWS(max_rows, x < y ? y : x)
#undef FOLD_ROWS

// Four rows at a time share the reading and writing of their sums.
#define DEVIATION(row) { const float d = row[k] - at; plain += d; squared += d * d; }

}  // namespace

VectorFunction vector_function(std::string_view primitive, unsigned singles) {
    const Row* const found = find_row(primitive);
    if (!found) return nullptr;
    switch (singles) {
        case 0: return found->arrays;
        case 1: return found->first_single;
        case 2: return found->second_single;
        case 4: return found->third_single;
        default: return nullptr;
    }
}

VectorFunction vector_pair(VectorFunction first, VectorFunction second) {
    if (first == vector_function("sub", 2) && second == vector_kernels().exp) return vector_kernels().exp_of_difference;
    if (first == vector_kernels().sigmoid && second == vector_function("mul")) return vector_kernels().swish;
    if (first == chain_of(Sub, Mul).arrays && second == vector_kernels().swish) return vector_kernels().swish_of_sub_mul;
    if (first == chain_of(Mul, Add).arrays && second == vector_kernels().swish) return vector_kernels().swish_of_mul_add;
    return nullptr;
}

VectorChain vector_chain(VectorFunction first, VectorFunction second, std::size_t at) {
    const auto f = form_of(first), g = form_of(second);
    if (!f || !g || (f->first_single && f->operation == Sub) || (at == 1 && g->operation == Sub)) return {};
    if (at == 0 ? g->first_single : g->second_single) return {};
    const bool y = f->first_single || f->second_single, z = at == 0 ? g->second_single : g->first_single;
    const Chain& chain = chain_of(f->operation, g->operation);
    return {y ? z ? chain.both_single : chain.second_single : z ? chain.third_single : chain.arrays, f->first_single};
}

FoldRows fold_rows(std::string_view reduction) {
    return reduction == "sum" ? sum_rows : reduction == "reduce_max" ? max_rows : nullptr;
}

VectorFold vector_fold(std::string_view reduction) {
    return reduction == "sum" ? vector_kernels().sum : reduction == "reduce_max" ? vector_kernels().maximum : nullptr;
}
VectorSum vector_sum(VectorFunction function, std::string_view reduction) {
    return function == vector_kernels().exp_of_difference && reduction == "sum" ? vector_kernels().exp_of_difference_sum : nullptr;
}
VectorFold fold_squares(std::string_view reduction) { return reduction == "sum" ? vector_kernels().squares : nullptr; }

VECTOR_CLONES void add_deviations(const float* from, std::size_t stride, std::size_t rows, std::size_t count, const float* shift,
                                 float* sum, float* squares) {
    std::size_t row = 0;
    for (; row + 4 <= rows; row += 4, from += 4 * stride) {
        const float *a = from, *b = a + stride, *c = b + stride, *e = c + stride;
#pragma GCC ivdep   // the sums are nobody else's; there are too many pointers for the compiler to see to that
        for (std::size_t k = 0; k < count; ++k) {
            const float at = shift[k];
            float plain = sum[k], squared = squares[k];
            DEVIATION(a) DEVIATION(b) DEVIATION(c) DEVIATION(e)
            sum[k] = plain;
            squares[k] = squared;
        }
    }
    for (; row < rows; ++row, from += stride)
#pragma GCC ivdep
        for (std::size_t k = 0; k < count; ++k) {
            const float at = shift[k];
            float plain = sum[k], squared = squares[k];
            DEVIATION(from)
            sum[k] = plain;
            squares[k] = squared;
        }
}
#undef DEVIATION

}  // namespace gpu
