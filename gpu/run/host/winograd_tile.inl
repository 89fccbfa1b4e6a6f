// Transforms of Winograd's convolution, included by tile.inl once for each kind of vector. Points 0, +-1 or +-a and +-b, and infinity: with
// F = (x - p) ... over all points but one, rows of B^T hold the coefficients of F for each point p, rows of G the powers of p divided by F(p),
// columns of A^T the powers of p. Every vector holds as many channels as it has lanes.

// Tiles of 4 x 4 results.
struct Winograd4 {
    static constexpr int side = 4;
    // Of all choices tried, the least rounding error: 1.6e-6 for 320 channels, where points of 1 and 2 give 3.4e-6. Their powers are exact.
    static constexpr float point_a = 0.625f, point_b = 1.5f, a2 = point_a * point_a, b2 = point_b * point_b;
    static constexpr float weight_0 = 1 / (a2 * b2), weight_a = 1 / (2 * a2 * (a2 - b2)), weight_b = 1 / (2 * b2 * (b2 - a2));

    // B^T x, of six pixels in a line.
    VECTOR_TARGET static void map(const Vector* x, Vector* to) {
        const Vector even_a = x[4] - splat(b2) * x[2], odd_a = splat(point_a) * (x[3] - splat(b2) * x[1]);
        const Vector even_b = x[4] - splat(a2) * x[2], odd_b = splat(point_b) * (x[3] - splat(a2) * x[1]);
        to[0] = splat(a2 * b2) * x[0] + (x[4] - splat(a2 + b2) * x[2]);
        to[1] = even_a + odd_a;
        to[2] = even_a - odd_a;
        to[3] = even_b + odd_b;
        to[4] = even_b - odd_b;
        to[5] = splat(a2 * b2) * x[1] + (x[5] - splat(a2 + b2) * x[3]);
    }

    // A^T m: four pixels of the result.
    VECTOR_TARGET static void result(const Vector* m, Vector* to) {
        const Vector even_a = m[1] + m[2], odd_a = splat(point_a) * (m[1] - m[2]);
        const Vector even_b = m[3] + m[4], odd_b = splat(point_b) * (m[3] - m[4]);
        to[0] = m[0] + even_a + even_b;
        to[1] = odd_a + odd_b;
        to[2] = splat(a2) * even_a + splat(b2) * even_b;
        to[3] = m[5] + splat(a2) * odd_a + splat(b2) * odd_b;
    }

    // A y, of four pixels of a gradient.
    VECTOR_TARGET static void result_grad(const Vector* y, Vector* to) {
        const Vector even_a = y[0] + splat(a2) * y[2], odd_a = splat(point_a) * (y[1] + splat(a2) * y[3]);
        const Vector even_b = y[0] + splat(b2) * y[2], odd_b = splat(point_b) * (y[1] + splat(b2) * y[3]);
        to[0] = y[0];
        to[1] = even_a + odd_a;
        to[2] = even_a - odd_a;
        to[3] = even_b + odd_b;
        to[4] = even_b - odd_b;
        to[5] = y[3];
    }

    // G w, of three taps.
    VECTOR_TARGET static void weight(const Vector* w, Vector* to) {
        const Vector even_a = splat(weight_a) * (w[0] + splat(a2) * w[2]), odd_a = splat(weight_a * point_a) * w[1];
        const Vector even_b = splat(weight_b) * (w[0] + splat(b2) * w[2]), odd_b = splat(weight_b * point_b) * w[1];
        to[0] = splat(weight_0) * w[0];
        to[1] = even_a + odd_a;
        to[2] = even_a - odd_a;
        to[3] = even_b + odd_b;
        to[4] = even_b - odd_b;
        to[5] = w[2];
    }

    // G^T u: three taps of a weight's gradient.
    VECTOR_TARGET static void weight_grad(const Vector* u, Vector* to) {
        const Vector even_a = splat(weight_a) * (u[1] + u[2]), even_b = splat(weight_b) * (u[3] + u[4]);
        to[0] = splat(weight_0) * u[0] + even_a + even_b;
        to[1] = splat(weight_a * point_a) * (u[1] - u[2]) + splat(weight_b * point_b) * (u[3] - u[4]);
        to[2] = splat(a2) * even_a + splat(b2) * even_b + u[5];
    }
};

// Tiles of 2 x 2 results; the only finite points are 0 and +-1.
struct Winograd2 {
    static constexpr int side = 2;

    // B^T x, of four pixels in a line.
    VECTOR_TARGET static void map(const Vector* x, Vector* to) {
        to[0] = x[0] - x[2];
        to[1] = x[1] + x[2];
        to[2] = x[2] - x[1];
        to[3] = x[3] - x[1];
    }

    // A^T m: two pixels of the result.
    VECTOR_TARGET static void result(const Vector* m, Vector* to) {
        to[0] = m[0] + (m[1] + m[2]);
        to[1] = (m[1] - m[2]) + m[3];
    }

    // G w, of three taps.
    VECTOR_TARGET static void weight(const Vector* w, Vector* to) {
        const Vector even = splat(0.5f) * (w[0] + w[2]), odd = splat(0.5f) * w[1];
        to[0] = w[0];
        to[1] = even + odd;
        to[2] = even - odd;
        to[3] = w[2];
    }
};

using Line = void (*)(const Vector*, Vector*);

// `line` along both axes: to [n, n] of from [m, m].
template <int m, int n, Line line>
VECTOR_TARGET inline void both_ways(const Vector* from, Vector* to) {
    Vector half[n * m];
#pragma GCC unroll 6
    for (int j = 0; j < m; ++j) {
        Vector in[m], out[n];
#pragma GCC unroll 6
        for (int i = 0; i < m; ++i) in[i] = from[i * m + j];
        line(in, out);
#pragma GCC unroll 6
        for (int i = 0; i < n; ++i) half[i * m + j] = out[i];
    }
#pragma GCC unroll 6
    for (int i = 0; i < n; ++i) line(half + i * m, to + i * n);
}

// Scattered lines to planes: to[f * step + c] of pixels[...][c]. Of the next tile `fresh` columns are its own and lie `ahead`: they are
// called for, as maps are larger than caches and no hardware foresees tiles.
template <int m, int n, Line line, int fresh>
VECTOR_TARGET void lines_to_planes(const float* const* pixels, std::int64_t ahead, float* to, std::int64_t step, std::int64_t channels) {
    for (std::int64_t c = 0; c < channels; c += VECTOR_LANES) {
        Vector in[m * m], out[n * n];
        for (int i = 0; i < m * m; ++i) in[i] = load(pixels[i] + c);
        if (ahead > 0)
            for (int i = 0; i < m * m; ++i)
                if (i % m >= m - fresh) __builtin_prefetch(pixels[i] + ahead + c);
        both_ways<m, n, line>(in, out);
        for (int i = 0; i < n * n; ++i) store(to + i * step + c, out[i]);
    }
}

// The other way, from planes to scattered lines.
template <int n, int m, Line line>
VECTOR_TARGET inline void planes_to_lines(const float* from, std::int64_t step, std::int64_t c, Vector* out) {
    Vector in[n * n];
    for (int i = 0; i < n * n; ++i) in[i] = load(from + i * step + c);
    both_ways<n, m, line>(in, out);
}

template <typename F>
VECTOR_TARGET void winograd_map(const float* const* pixels, std::int64_t ahead, float* to, std::int64_t step, std::int64_t channels) {
    lines_to_planes<F::side + 2, F::side + 2, F::map, F::side>(pixels, ahead, to, step, channels);
}

template <typename F>
VECTOR_TARGET void winograd_weight(const float* const* taps, float* to, std::int64_t step, std::int64_t channels) {
    lines_to_planes<3, F::side + 2, F::weight, 0>(taps, 0, to, step, channels);
}

template <typename F>
VECTOR_TARGET void winograd_result(const float* from, std::int64_t step, float* const* pixels, std::int64_t ahead, const float* bias, std::int64_t channels) {
    constexpr int count = F::side * F::side;
    for (std::int64_t c = 0; c < channels; c += VECTOR_LANES) {
        Vector out[count];
        planes_to_lines<F::side + 2, F::side, F::result>(from, step, c, out);
        for (int i = 0; i < count; ++i) __builtin_prefetch(pixels[i] + ahead + c, 1);
        const Vector offset = bias ? load(bias + c) : Vector{};
        for (int i = 0; i < count; ++i) store(pixels[i] + c, out[i] + offset);
    }
}

VECTOR_TARGET void winograd_result_grad(const float* const* pixels, std::int64_t ahead, float* to, std::int64_t step, std::int64_t channels) {
    lines_to_planes<4, 6, Winograd4::result_grad, 4>(pixels, ahead, to, step, channels);
}

VECTOR_TARGET void winograd_weight_grad(const float* from, std::int64_t step, float* const* taps, std::int64_t channels) {
    for (std::int64_t c = 0; c < channels; c += VECTOR_LANES) {
        Vector out[9];
        planes_to_lines<6, 3, Winograd4::weight_grad>(from, step, c, out);
        for (int i = 0; i < 9; ++i) store(taps[i] + c, out[i]);
    }
}

template <typename F>
constexpr WinogradKernels winograd_kernels() {
    return {winograd_map<F>, winograd_weight<F>, winograd_result<F>};
}
