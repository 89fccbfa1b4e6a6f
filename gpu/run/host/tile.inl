// The body of tile.cpp, included once for each kind of vector with TILE (a namespace), TILE_ROWS (rows of accumulators that fit the registers
// beside three vectors of b), VECTOR_LANES and VECTOR_TARGET.
namespace gpu {
namespace TILE {

#include "gpu/base/vectors.inl"

typedef std::uint16_t Halves __attribute__((vector_size(2 * VECTOR_LANES), aligned(2), may_alias));

template <int rows, int vectors>
VECTOR_TARGET void block(const TileProduct& p, std::int64_t row, std::int64_t column) {
    const float* a = p.a + row * p.a_row;
    const float* b = p.b + column;
    float* c = p.c + row * p.c_row + column;
    Vector sum[rows][vectors];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 3
        for (int v = 0; v < vectors; ++v) sum[r][v] = p.accumulate ? load(c + r * p.c_row + v * VECTOR_LANES) : Vector{};
    for (std::int64_t t = 0; t < p.terms; ++t) {
        Vector right[vectors];
#pragma GCC unroll 3
        for (int v = 0; v < vectors; ++v) right[v] = load(b + t * p.b_term + v * VECTOR_LANES);
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
            const Vector left = splat(a[r * p.a_row + t * p.a_term]);
#pragma GCC unroll 3
            for (int v = 0; v < vectors; ++v) sum[r][v] += left * right[v];
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 3
        for (int v = 0; v < vectors; ++v) store(c + r * p.c_row + v * VECTOR_LANES, sum[r][v]);
}

template <int vectors>
VECTOR_TARGET void column_block(const TileProduct& p, std::int64_t column) {
    std::int64_t row = 0;
    for (; row + TILE_ROWS <= p.rows; row += TILE_ROWS) block<TILE_ROWS, vectors>(p, row, column);
    for (; row + 4 <= p.rows; row += 4) block<4, vectors>(p, row, column);
    for (; row < p.rows; ++row) block<1, vectors>(p, row, column);
}

VECTOR_TARGET void product(const TileProduct& p) {
    std::int64_t left = p.columns / VECTOR_LANES;
    for (std::int64_t column = 0; left > 0;) {
        const int vectors = left == 4 || left == 2 ? 2 : left == 1 ? 1 : 3;   // 4 = 2 + 2, not 3 + 1
        if (vectors == 3) column_block<3>(p, column);
        if (vectors == 2) column_block<2>(p, column);
        if (vectors == 1) column_block<1>(p, column);
        column += vectors * VECTOR_LANES;
        left -= vectors;
    }
}

// Element `at` of a panel and its neighbours.
template <Dtype stored>
VECTOR_TARGET inline Vector load_panel(const std::byte* panel, std::int64_t at) {
    if constexpr (stored == Dtype::F32) return load(reinterpret_cast<const float*>(panel) + at);
#if VECTOR_LANES == 16
    const auto* halves = reinterpret_cast<const __m256i*>(panel + 2 * at);
    if constexpr (stored == Dtype::F16) return (Vector)_mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(halves));
#elif VECTOR_LANES == 8
    const auto* halves = reinterpret_cast<const __m128i*>(panel + 2 * at);
    if constexpr (stored == Dtype::F16) return (Vector)_mm256_cvtph_ps(_mm_loadu_si128(halves));
#endif
    return (Vector)(__builtin_convertvector(*reinterpret_cast<const Halves*>(panel + 2 * at), Integers) << 16);   // BF16
}

template <int rows, int vectors, Dtype stored>
VECTOR_TARGET void panel_block(const PanelProduct& p, std::int64_t row) {
    constexpr std::int64_t width = vectors * VECTOR_LANES;
    const float* a[rows];
    float* c[rows];
    Vector sum[rows][vectors];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
        a[r] = p.a[row + r] + p.a_offset;
        c[r] = p.c[row + r] + p.c_offset;
#pragma GCC unroll 3
        for (int v = 0; v < vectors; ++v) sum[r][v] = p.accumulate ? load(c[r] + v * VECTOR_LANES) : Vector{};
    }
    const std::byte* panel = p.panel;
    constexpr std::int64_t row_bytes = width * (stored == Dtype::F32 ? 4 : 2);
    for (std::int64_t t = 0; t < p.terms; ++t, panel += row_bytes) {
        Vector right[vectors];
#pragma GCC unroll 3
        for (int v = 0; v < vectors; ++v) right[v] = load_panel<stored>(panel, v * VECTOR_LANES);
#pragma GCC unroll 3
        for (std::int64_t line = 0; line < row_bytes; line += 64) __builtin_prefetch(panel + 16 * row_bytes + line);
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
            const Vector left = splat(a[r][t]);
#pragma GCC unroll 3
            for (int v = 0; v < vectors; ++v) sum[r][v] += left * right[v];
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 3
        for (int v = 0; v < vectors; ++v) store(c[r] + v * VECTOR_LANES, sum[r][v]);
}

template <int vectors, Dtype stored>
VECTOR_TARGET void panel_rows(const PanelProduct& p) {
    std::int64_t row = 0;
    for (; row + TILE_ROWS <= p.rows; row += TILE_ROWS) panel_block<TILE_ROWS, vectors, stored>(p, row);
    for (; row + 4 <= p.rows; row += 4) panel_block<4, vectors, stored>(p, row);
    for (; row + 2 <= p.rows; row += 2) panel_block<2, vectors, stored>(p, row);
    for (; row < p.rows; ++row) panel_block<1, vectors, stored>(p, row);
}

template <Dtype stored>
VECTOR_TARGET void panel_of(const PanelProduct& p) {
    if (p.vectors == 3) panel_rows<3, stored>(p);
    if (p.vectors == 2) panel_rows<2, stored>(p);
    if (p.vectors == 1) panel_rows<1, stored>(p);
}

VECTOR_TARGET void panel(const PanelProduct& p) {
    if (p.stored == Dtype::F32) panel_of<Dtype::F32>(p);
#if VECTOR_LANES > 4
    if (p.stored == Dtype::F16) panel_of<Dtype::F16>(p);
    if (p.stored == Dtype::BF16) panel_of<Dtype::BF16>(p);
#endif
}

VECTOR_TARGET void scale(float* x, float factor, std::int64_t count) {
    for (std::int64_t i = 0; i < count; i += VECTOR_LANES) store(x + i, load(x + i) * splat(factor));
}

VECTOR_TARGET void softmax_grad(float* x, const float* p, float offset, std::int64_t count) {
    for (std::int64_t i = 0; i < count; i += VECTOR_LANES) store(x + i, load(p + i) * (load(x + i) - splat(offset)));
}

#include "gpu/run/host/winograd_tile.inl"

const TileKernels kernels{VECTOR_LANES, VECTOR_LANES > 4, product, panel, scale, softmax_grad,
                          winograd_kernels<Winograd2>(), winograd_kernels<Winograd4>(), winograd_result_grad, winograd_weight_grad};

}  // namespace TILE
}  // namespace gpu

#undef TILE
#undef VECTOR_LANES
#undef TILE_ROWS
#undef VECTOR_TARGET
