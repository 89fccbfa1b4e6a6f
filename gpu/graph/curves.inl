// The body of curves.cpp, included once for each kind of vector with CURVES (a namespace), VECTOR_LANES and VECTOR_TARGET.
namespace gpu {
namespace CURVES {

#include "gpu/base/vectors.inl"

VECTOR_TARGET inline Vector sigmoid_of(Vector x) { return splat(1.0f) / (splat(1.0f) + exp_of(-x)); }
VECTOR_TARGET inline Vector swish_of(Vector x) { return x / (splat(1.0f) + exp_of(-x)); }

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
VECTOR_TARGET inline Vector swish_of_sub_mul(Vector x, Vector y, Vector z) { return swish_of((x - y) * z); }
VECTOR_TARGET inline Vector swish_of_mul_add(Vector x, Vector y, Vector z) { return swish_of(x * y + z); }

VECTOR_TARGET float exp_of_difference_sum(float total, const float* const* in, float* out, std::size_t count) {
    if (count == 0) return total;
    const float* const x = in[0];
    const Vector y = splat(*in[1]);
    Vector sum{};
    std::size_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES) {
        const Vector value = exp_of(load(x + i) - y);
        store(out + i, value);
        sum += value;
    }
    if (i < count) {
        const Vector value = exp_of(load_first(x + i, count - i) - y);
        store_first(out + i, value, count - i);
        for (std::size_t k = 0; i + k < count; ++k) sum[k] += value[k];
    }
    for (int half = VECTOR_LANES / 2; half > 0; half /= 2)
        for (int k = 0; k < half; ++k) sum[k] += sum[k + half];
    return total + sum[0];
}
VECTOR_TARGET void exp_of_difference(const float* const* in, float* out, std::size_t count) { exp_of_difference_sum(0, in, out, count); }

const Curves all{of_one<exp_of>, of_one<sigmoid_of>, of_one<tanh_of>, of_one<erf_of>, of_one<swish_of>, of_three<swish_of_sub_mul>, of_three<swish_of_mul_add>,
                 exp_of_difference, exp_of_difference_sum};

}  // namespace CURVES
}  // namespace gpu

#undef CURVES
#undef VECTOR_LANES
#undef VECTOR_TARGET
