// Vectors of VECTOR_LANES floats, and what processors do with them beside arithmetic. Included once for each kind of vector in a namespace of its
// own, with VECTOR_TARGET (attributes of functions); vectors.h comes first.

typedef float Vector __attribute__((vector_size(4 * VECTOR_LANES), aligned(4), may_alias));
typedef std::int32_t Integers __attribute__((vector_size(4 * VECTOR_LANES), aligned(4), may_alias));
typedef std::uint32_t Bits __attribute__((vector_size(4 * VECTOR_LANES), aligned(4), may_alias));

VECTOR_TARGET inline Vector splat(float x) { return x - Vector{}; }
VECTOR_TARGET inline Vector load(const float* x) { return *reinterpret_cast<const Vector*>(x); }
VECTOR_TARGET inline void store(float* x, Vector value) { *reinterpret_cast<Vector*>(x) = value; }

// The first `count`, and zeros.
VECTOR_TARGET inline Vector load_first(const float* x, std::size_t count) {
    Vector result{};
    for (std::size_t k = 0; k < count; ++k) result[k] = x[k];
    return result;
}
VECTOR_TARGET inline Vector load_up_to(const float* x, std::size_t count) { return count < VECTOR_LANES ? load_first(x, count) : load(x); }
VECTOR_TARGET inline void store_first(float* x, Vector value, std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) x[k] = value[k];
}

// Keeps the compiler from adding to a product without rounding it.
VECTOR_TARGET inline Vector rounded(Vector product) {
#if VECTOR_LANES == 16
    asm("" : "+v"(product));
#elif defined(__x86_64__)
    asm("" : "+x"(product));
#elif defined(__aarch64__)
    asm("" : "+w"(product));
#endif
    return product;
}

// Of each two numbers the larger or smaller; the second where one is no number. (GCC 12 takes the forms without a mask for uninitialised.)
VECTOR_TARGET inline Vector larger(Vector a, Vector b) {
#if VECTOR_LANES == 16
    return (Vector)_mm512_maskz_max_ps(0xffff, (__m512)a, (__m512)b);
#elif VECTOR_LANES == 8
    return (Vector)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return a > b ? a : b;
#endif
}
VECTOR_TARGET inline Vector smaller(Vector a, Vector b) {
#if VECTOR_LANES == 16
    return (Vector)_mm512_maskz_min_ps(0xffff, (__m512)a, (__m512)b);
#elif VECTOR_LANES == 8
    return (Vector)_mm256_min_ps((__m256)a, (__m256)b);
#else
    return a < b ? a : b;
#endif
}

// Of all elements, by halves.
VECTOR_TARGET inline float sum_of(Vector x) {
#if VECTOR_LANES == 16
    const auto eight = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
#elif VECTOR_LANES == 8
    const Vector eight = x;
#endif
#if VECTOR_LANES >= 8
    const auto four = __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
#else
    const Vector four = x;
#endif
    const auto two = four + __builtin_shufflevector(four, four, 2, 3, 0, 1);
    return two[0] + two[1];
}

// e^x = 2^n e^r with |r| <= ln 2 / 2; 1 + r + r^2 P(r), fitted to a relative error of 3e-9. Within 2e-7 of the true value, zero below -87
// (2^-125.5), infinite where a float is; a NaN stays one.
//
// Here and in vector_kernels.inl polynomials are put together from pairs of terms (Estrin's scheme): as many operations as Horner's, but half as many
// that wait for one another, and a processor keeps only some of the next elements in flight.
VECTOR_TARGET inline Vector exp_of(Vector x) {
    const Vector magic = splat(12582912.0f);      // 1.5 * 2^23: a sum with it is rounded to a whole number, in its low bits
    const Vector least = splat(-87.0f);
#if VECTOR_LANES == 16
    const Vector c = smaller(splat(89.0f), x);
#else
    const Vector c = x;
#endif
    const Vector shifted = c * splat(1.44269504f) + magic, n = shifted - magic;
    const Vector r = c - n * splat(0.693359375f) + n * splat(2.12194440e-4f), t = r * r;
    const Vector p = (splat(1.3814539987680597e-3f) * t + (splat(8.368745116353368e-3f) * r + splat(4.1668390787384234e-2f))) * t +
                     (splat(1.6666520398962467e-1f) * r + splat(4.999999343211057e-1f));
    const Vector y = p * t + r + splat(1.0f);
#if VECTOR_LANES == 16
    return (Vector)_mm512_maskz_scalef_ps(_mm512_cmp_ps_mask((__m512)x, (__m512)least, _CMP_NLT_UQ), (__m512)y, (__m512)n);
#else
    const Vector scaled = (Vector)((Bits)y + ((Bits)shifted << 23));      // n is added to the exponent
    const Vector upper = x <= splat(88.722839f) ? scaled : x + splat(HUGE_VALF);
    return x < least ? Vector{} : upper;
#endif
}
