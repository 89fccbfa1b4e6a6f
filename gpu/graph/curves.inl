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

// curve(x - shift) of each x. What is left in the end is computed as one more vector.
template <Vector (*curve)(Vector)>
VECTOR_TARGET inline void over(const float* x, Vector shift, float* out, std::size_t count) {
    std::size_t i = 0;
    for (; i + VECTOR_LANES <= count; i += VECTOR_LANES) store(out + i, curve(load(x + i) - shift));
    if (i == count) return;
    Vector rest{};
    for (std::size_t k = 0; i + k < count; ++k) rest[k] = x[i + k];
    rest = curve(rest - shift);
    for (std::size_t k = 0; i + k < count; ++k) out[i + k] = rest[k];
}

template <Vector (*curve)(Vector)>
VECTOR_TARGET void each(const float* const* in, float* out, std::size_t count) {
    over<curve>(in[0], Vector{}, out, count);
}
VECTOR_TARGET void exp_of_difference(const float* const* in, float* out, std::size_t count) {
    if (count > 0) over<exp_of>(in[0], splat(*in[1]), out, count);
}

const Curves all{each<exp_of>, exp_of_difference, each<sigmoid_of>, each<swish_of>, each<tanh_of>, each<erf_of>};

}  // namespace CURVES
}  // namespace gpu

#undef CURVES
#undef VECTOR_LANES
#undef VECTOR_TARGET
