// Complex Fourier transform of the axes between the first and the last: z [B, n1, ..., nd, 2], no factor in either direction.
// By VkFFT; where it is missing, and for short axes, as products with matrices of sines and cosines.
#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "gpu/base/error.h"
#include "gpu/graph/kernel.h"
#include "gpu/graph/op.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

constexpr std::int64_t largest_matrix = 256;          // points of a transform by one product, where it can be split further
constexpr std::int64_t largest_prime = 4096;          // that no product can split
// Up to these lengths products are used also where the library is there: its plans take a second or two to make.
constexpr std::int64_t short_length = 32, short_on_host = 128;
constexpr std::int64_t plan_bytes = 32 << 20;         // of a plan's buffer, if one transform fits
constexpr std::int64_t largest_plan_bytes = 128 << 20;   // what every device can bind

// e^(sign 2 pi i k / n), exact at the quarters.
std::complex<double> root(std::int64_t k, std::int64_t n, int sign) {
    k %= n;
    if (4 * k % n == 0) {
        const std::complex<double> quarters[] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
        const std::complex<double> value = quarters[4 * k / n];
        return sign > 0 ? value : std::conj(value);
    }
    return std::polar(1.0, sign * 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n));
}

// [2 n, 2 n]: a row of interleaved numbers times this is its transform.
Tensor dft_matrix(std::int64_t n, int sign) {
    std::vector<float> matrix(static_cast<std::size_t>(4 * n * n));
    for (std::int64_t j = 0; j < n; ++j)
        for (std::int64_t k = 0; k < n; ++k) {
            const std::complex<double> w = root(j * k, n, sign);
            float* at = matrix.data() + 2 * j * 2 * n + 2 * k;
            at[0] = static_cast<float>(w.real());
            at[1] = static_cast<float>(w.imag());
            at[2 * n] = static_cast<float>(-w.imag());
            at[2 * n + 1] = static_cast<float>(w.real());
        }
    return tensor(matrix, {2 * n, 2 * n});
}

// The largest divisor of n up to `largest_matrix`.
std::int64_t divisor_of(std::int64_t n) {
    std::int64_t best = 1;
    for (std::int64_t d = 2; d <= std::min(largest_matrix, n); ++d)
        if (n % d == 0) best = d;
    return best;
}

// rows [R, n, 2] -> the same transformed along n. Long ones in two passes (Cooley and Tukey 1965): n = a b, input index
// j = j1 b + j2, output index k = k1 + a k2.
Tensor transform_rows(const Tensor& rows, int sign) {
    const std::int64_t count = rows.size(0), n = rows.size(1);
    if (n == 1) return rows;
    const std::int64_t a = n <= largest_matrix ? n : divisor_of(n), b = n / a;
    if (b == 1 || a == 1) {
        check(n <= largest_prime, ErrorCode::NoDevice, "fft: expected lengths without prime factors above {} where VkFFT is missing, got {}",
              largest_prime, n);
        return reshape(matmul(reshape(rows, {count, 2 * n}), dft_matrix(n, sign)), {count, n, 2});
    }
    std::vector<float> twiddle(static_cast<std::size_t>(2 * n));
    for (std::int64_t j2 = 0; j2 < b; ++j2)
        for (std::int64_t k1 = 0; k1 < a; ++k1) {
            const std::complex<double> w = root(j2 * k1, n, sign);
            twiddle[2 * (j2 * a + k1)] = static_cast<float>(w.real());
            twiddle[2 * (j2 * a + k1) + 1] = static_cast<float>(w.imag());
        }
    const Tensor columns = reshape(permute(reshape(rows, {count, a, b, 2}), {0, 2, 1, 3}), {count * b, a, 2});
    const Tensor inner = complex_multiply(reshape(transform_rows(columns, sign), {count, b, a, 2}), tensor(twiddle, {b, a, 2}));
    const Tensor outer = transform_rows(reshape(permute(inner, {0, 2, 1, 3}), {count * a, b, 2}), sign);   // [count, k1, k2]
    return reshape(permute(reshape(outer, {count, a, b, 2}), {0, 2, 1, 3}), {count, n, 2});
}

struct Fft final : Op {
    explicit Fft(bool inverse) : inverse(inverse) {}
    const bool inverse;

    std::string_view name() const override { return "fft"; }
    Attrs attrs() const override { return {{"inverse", std::int64_t{inverse}}}; }
    Spec infer(const Specs& in) const override {
        const Shape& z = in[0].shape;
        expect(*this, in[0].dtype == Dtype::F32 && z.size() >= 3 && z.size() <= 5 && z.back() == 2, "expected F32 [B, n1, ..., nd, 2], got {}",
               shown(in[0]));
        return in[0];
    }
    void lower(KernelBuilder& k) const override {
        const Shape& z = k.in_spec(0).shape;
        const std::int64_t all = element_count(z);
        if (all == 0 || !k.traits().fft) return;
        const std::int64_t bytes = all / z[0] * 4;
        const std::int64_t limit = k.traits().host_kernels ? short_on_host : short_length;
        if (bytes > largest_plan_bytes || *std::max_element(z.begin() + 1, z.end() - 1) <= limit) return;
        k.recorder("fft", {inverse, std::clamp<std::int64_t>(plan_bytes / bytes, 1, z[0])}).in(0, row_major(z.size())).out(row_major(z.size()));
        double points = static_cast<double>(all) / 2;
        k.flop(5 * points * std::log2(std::max(points / static_cast<double>(z[0]), 1.0)));
    }
    Tensor composite(const Tensors& in) const override {
        Tensor z = in[0];
        const int rank = z.rank();
        if (z.element_count() == 0) return z * 1.0;
        for (int axis = 1; axis < rank - 1; ++axis) {
            std::vector<int> order = row_major(rank);
            std::swap(order[axis], order[rank - 2]);
            const Tensor turned = permute(z, order);
            const Tensor rows = reshape(turned, {-1, z.size(axis), 2});
            z = permute(reshape(transform_rows(rows, inverse ? 1 : -1), turned.shape()), order);
        }
        return z;
    }
    std::optional<std::vector<double>> reference(const std::vector<std::span<const double>>& in, const Specs& specs) const override {
        const Shape& z = specs[0].shape;
        std::vector<double> values(in[0].begin(), in[0].end());
        std::int64_t stride = 1;   // in complex numbers
        for (std::size_t axis = z.size() - 2; axis >= 1; --axis) {
            const std::int64_t n = z[axis];
            std::vector<std::complex<double>> roots(n), line(n);
            for (std::int64_t k = 0; k < n; ++k) roots[k] = root(k, n, inverse ? 1 : -1);
            for (std::int64_t start = 0; start < static_cast<std::int64_t>(values.size() / 2); ++start) {
                if (start / stride % n != 0) continue;
                for (std::int64_t k = 0; k < n; ++k) {
                    line[k] = 0;
                    for (std::int64_t j = 0; j < n; ++j) {
                        const std::int64_t at = start + j * stride;
                        line[k] += roots[j * k % n] * std::complex(values[2 * at], values[2 * at + 1]);
                    }
                }
                for (std::int64_t k = 0; k < n; ++k) {
                    values[2 * (start + k * stride)] = line[k].real();
                    values[2 * (start + k * stride) + 1] = line[k].imag();
                }
            }
            stride *= n;
        }
        return values;
    }
    // The adjoint of a transform is the transform in the other direction.
    Tensors vjp(const Tensors&, const Tensor&, const Tensor& dy) const override { return {apply_op<Fft>({dy}, !inverse)}; }
};

// Numbers of 16 bits are transformed in F32: their range is too small for the sums.
Tensor transform(std::string_view function, const Tensor& given, int dims, bool inverse) {
    const Tensor z = given.dtype() == Dtype::F16 || given.dtype() == Dtype::BF16 ? cast(given, Dtype::F32) : given;
    check(dims >= 1 && dims <= 3 && z.rank() > dims && z.shape().back() == 2, ErrorCode::InvalidGraph,
          "{}: expected [..., n1, ..., nd, 2] with 1 to 3 axes to transform, got {} and {}", function, shown(z.spec()), dims);
    check(z.dtype() == Dtype::F32, ErrorCode::InvalidGraph, "{}: expected F32, F16 or BF16, got {} (cast it first)", function, shown(z.spec()));
    Shape shape(z.shape().end() - dims - 1, z.shape().end());
    const std::int64_t one = element_count(shape);
    if (one == 0) return z;
    shape.insert(shape.begin(), z.element_count() / one);
    return reshape(apply_op<Fft>({reshape(z, shape)}, inverse), z.shape());
}

std::int64_t points_of(const Tensor& z, int dims) { return element_count(Shape(z.shape().end() - dims - 1, z.shape().end() - 1)); }

}  // namespace

REGISTER_OP(fft, Fft)

Tensor fft(const Tensor& z, int dims) { return transform("fft", z, dims, false); }

Tensor ifft(const Tensor& z, int dims) {
    const Tensor y = transform("ifft", z, dims, true);
    return y.element_count() == 0 ? y : y * (1.0 / static_cast<double>(points_of(z, dims)));
}

Tensor rfft(const Tensor& x, int dims) {
    const Tensor z = transform("rfft", complex(x, zeros_like(x)), dims, false);
    return slice(z, -2, 0, x.size(-1) / 2 + 1);
}

// The real part of the sum over half the frequencies, those whose mirror image is missing counted twice.
Tensor irfft(const Tensor& z, int dims, std::int64_t length) {
    check(z.rank() > dims && z.size(-2) == length / 2 + 1 && length > 0, ErrorCode::InvalidGraph,
          "irfft: expected {} frequencies for a length of {}, got {}", length / 2 + 1, length, shown(z.spec()));
    const std::int64_t half = z.size(-2);
    const Tensor k = reshape(arange(half, Dtype::I32), {half, 1});
    const Tensor alone = cast(equal(k, zeros_like(k)), Dtype::F32) + cast(equal(k * 2.0, full_like(k, static_cast<double>(length))), Dtype::F32);
    Shape before(z.rank(), 0), after(z.rank(), 0);
    after[z.rank() - 2] = length - half;
    return real_part(ifft(pad(z * (2.0 - alone), before, after), dims));
}

Tensor complex(const Tensor& real, const Tensor& imaginary) { return stack({real, imaginary}, -1); }
Tensor real_part(const Tensor& z) { return squeeze(slice(z, -1, 0, 1), {-1}); }
Tensor imaginary_part(const Tensor& z) { return squeeze(slice(z, -1, 1, 2), {-1}); }
Tensor conjugate(const Tensor& z) { return complex(real_part(z), -imaginary_part(z)); }

Tensor complex_multiply(const Tensor& a, const Tensor& b) {
    check(a.rank() > 0 && b.rank() > 0 && a.shape().back() == 2 && b.shape().back() == 2, ErrorCode::InvalidGraph,
          "complex_multiply: expected last axes of 2, got {} and {}", shown(a.spec()), shown(b.spec()));
    const Tensor ar = real_part(a), ai = imaginary_part(a), br = real_part(b), bi = imaginary_part(b);
    return complex(ar * br - ai * bi, ar * bi + ai * br);
}

}  // namespace gpu
