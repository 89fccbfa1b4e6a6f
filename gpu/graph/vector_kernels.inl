// The body of vector_kernels.cpp, included once for each kind of vector with KERNELS (a namespace), VECTOR_LANES and VECTOR_TARGET.
namespace gpu {
namespace KERNELS {

#include "gpu/base/vectors.inl"

VECTOR_TARGET inline Vector sigmoid_of(Vector x) { return splat(1.0f) / (splat(1.0f) + exp_of(-x)); }
VECTOR_TARGET inline Vector swish_of(Vector x) { return x * sigmoid_of(x); }

// x P(x^2) / Q(x^2), fitted to 7e-9 up to 8; beyond 9 tanh rounds to 1.
VECTOR_TARGET inline Vector tanh_of(Vector x) {
    const Vector c = smaller(splat(8.0f), larger(splat(-8.0f), x)), t = c * c, u = t * t;
    const Vector p = (splat(1.5231270467097602e-8f) * u + (splat(2.1895299141760916e-5f) * t + splat(3.571637673303485e-3f))) * u +
                     (splat(1.3444530963897705e-1f) * t + splat(1.0f));
    const Vector q = (splat(8.522802090737969e-7f) * u + (splat(3.411356301512569e-4f) * t + splat(2.6164595037698746e-2f))) * u +
                     (splat(4.677785933017731e-1f) * t + splat(1.0f));
    return smaller(splat(1.0f), larger(splat(-1.0f), c * p / q));
}

// The same form, fitted to a relative error of 4e-8 up to 3.8325, where erf rounds to 1.
VECTOR_TARGET inline Vector erf_of(Vector x) {
    const Vector c = smaller(splat(3.8325f), larger(splat(-3.8325f), x)), t = c * c, u = t * t;
    const Vector p = (splat(2.0969213920807306e-8f) * u + (splat(-1.9855754089803668e-6f) * t + splat(1.3663311256095767e-4f))) * u * u +
                     ((splat(3.4044114872813225e-3f) * t + splat(4.959433153271675e-2f)) * u + (splat(1.924147754907608e-1f) * t + splat(1.1283791065216064f)));
    const Vector q = (splat(8.901887922547758e-4f) * u + (splat(1.3729680329561234e-2f) * t + splat(1.119106113910675e-1f))) * u +
                     (splat(5.038551688194275e-1f) * t + splat(1.0f));
    return smaller(splat(1.0f), larger(splat(-1.0f), c * p / q));
}

// Of arrays; what is left in the end is computed as one more vector.
template <Vector (*curve)(Vector)>
VECTOR_TARGET void of_one(const float* const* in, float* out, std::size_t count) {
    const float* const x = in[0];
    std::size_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES) store(out + i, curve(load(x + i)));
    if (i < count) store_first(out + i, curve(load_first(x + i, count - i)), count - i);
}

template <Vector (*curve)(Vector, Vector, Vector)>
VECTOR_TARGET void of_three(const float* const* in, float* out, std::size_t count) {
    const float *const x = in[0], *const y = in[1], *const z = in[2];
    std::size_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES) store(out + i, curve(load(x + i), load(y + i), load(z + i)));
    const std::size_t rest = count - i;
    if (rest > 0) store_first(out + i, curve(load_first(x + i, rest), load_first(y + i, rest), load_first(z + i, rest)), rest);
}
// What computes several steps at once rounds as they do one by one: results do not depend on what is fused with what.
VECTOR_TARGET inline Vector swish_of_sub_mul(Vector x, Vector y, Vector z) { return swish_of((x - y) * z); }
VECTOR_TARGET inline Vector swish_of_mul_add(Vector x, Vector y, Vector z) { return swish_of(rounded(x * y) + z); }

// Parts of a reduction: one for each of 64 neighbours, combined by halves, whatever the vectors.
constexpr int parts = 64 / VECTOR_LANES;

VECTOR_TARGET inline float sum_of(const Vector* part) {
    Vector sum[parts];
    for (int k = 0; k < parts; ++k) sum[k] = part[k];
#pragma GCC unroll 4
    for (int half = parts / 2; half > 0; half /= 2)
#pragma GCC unroll 8
        for (int k = 0; k < half; ++k) sum[k] += sum[k + half];
    return sum_of(sum[0]);
}

template <Vector (*term)(Vector)>
VECTOR_TARGET float sum_of_terms(float total, const float* x, std::size_t count) {
    Vector part[parts]{};
    std::size_t i = 0;
    for (; i + 64 <= count; i += 64)
#pragma GCC unroll 16
        for (int k = 0; k < parts; ++k) part[k] += term(load(x + i + k * VECTOR_LANES));
    for (int k = 0; i < count; ++k, i += VECTOR_LANES) part[k] += term(load_up_to(x + i, count - i));
    return total + sum_of(part);
}
VECTOR_TARGET inline Vector itself(Vector x) { return x; }
VECTOR_TARGET inline Vector square(Vector x) { return rounded(x * x); }

VECTOR_TARGET float maximum(float total, const float* x, std::size_t count) {
    Vector part[parts];
    for (Vector& one : part) one = splat(total);
    std::size_t i = 0;
    for (; i + 64 <= count; i += 64)
#pragma GCC unroll 16
        for (int k = 0; k < parts; ++k) part[k] = larger(load(x + i + k * VECTOR_LANES), part[k]);
    Vector most = part[0];
    for (int k = 1; k < parts; ++k) most = larger(part[k], most);
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES) most = larger(load(x + i), most);
    float result = total;
    for (int k = 0; k < VECTOR_LANES; ++k) result = most[k] > result ? most[k] : result;
    for (; i < count; ++i) result = x[i] > result ? x[i] : result;
    return result;
}

VECTOR_TARGET float exp_of_difference_sum(float total, const float* const* in, float* out, std::size_t count) {
    if (count == 0) return total;
    const float* const x = in[0];
    const Vector y = splat(*in[1]);
    Vector part[parts]{};
    std::size_t i = 0;
    for (; i + 64 <= count; i += 64)
#pragma GCC unroll 4
        for (int k = 0; k < parts; ++k) {
            const Vector value = exp_of(load(x + i + k * VECTOR_LANES) - y);
            store(out + i + k * VECTOR_LANES, value);
            part[k] += value;
        }
    int k = 0;
    for (; i + VECTOR_LANES <= count; ++k, i += VECTOR_LANES) {
        const Vector value = exp_of(load(x + i) - y);
        store(out + i, value);
        part[k] += value;
    }
    if (const std::size_t rest = count - i; rest > 0) {
        const Vector value = exp_of(load_first(x + i, rest) - y);
        store_first(out + i, value, rest);
        for (std::size_t lane = 0; lane < rest; ++lane) part[k][lane] += value[lane];
    }
    return total + sum_of(part);
}
VECTOR_TARGET void exp_of_difference(const float* const* in, float* out, std::size_t count) { exp_of_difference_sum(0, in, out, count); }

const VectorKernels all{of_one<exp_of>, of_one<sigmoid_of>, of_one<tanh_of>, of_one<erf_of>,
                        of_one<swish_of>, of_three<swish_of_sub_mul>, of_three<swish_of_mul_add>,
                        exp_of_difference, exp_of_difference_sum,
                        sum_of_terms<itself>, sum_of_terms<square>, maximum};

}  // namespace KERNELS
}  // namespace gpu

#undef KERNELS
#undef VECTOR_LANES
#undef VECTOR_TARGET
