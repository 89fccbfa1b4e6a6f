// Spherical interpolation of vectors, on the host: latents are small.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace nodes {

// out = a at t 0, b at t 1, between them along the great circle, with a length between theirs. Vectors of `count` elements that lie
// `stride` apart. Nearly parallel ones give a, nearly opposite ones and zeros the straight line.
inline void slerp(const float* a, const float* b, std::size_t count, std::size_t stride, double t, float* out, std::size_t out_stride) {
    double aa = 0, bb = 0, ab = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const double x = a[i * stride], y = b[i * stride];
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    const double la = std::sqrt(aa), lb = std::sqrt(bb), length = la * (1 - t) + lb * t;
    double wa = 1 - t, wb = t;
    if (la > 0 && lb > 0) {
        const double cosine = std::clamp(ab / (la * lb), -1.0, 1.0);
        if (cosine > 1 - 1e-5) {
            wa = length / la;
            wb = 0;
        } else if (cosine > -1 + 1e-5) {
            const double angle = std::acos(cosine), sine = std::sin(angle);
            wa = std::sin((1 - t) * angle) / sine * length / la;
            wb = std::sin(t * angle) / sine * length / lb;
        }
    }
    for (std::size_t i = 0; i < count; ++i) out[i * out_stride] = static_cast<float>(wa * a[i * stride] + wb * b[i * stride]);
}

}  // namespace nodes
