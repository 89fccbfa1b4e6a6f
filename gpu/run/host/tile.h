// Small dense pieces of work on tiles that lie in the processor's caches, written once and compiled for AVX-512, AVX2 and
// plain vectors; tile_kernels() picks what this processor has. Rows of `b` and `c` are padded to a multiple of `lanes`
// floats: whole vectors are read and written.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gpu/graph/dtype.h"

namespace gpu {

// c[r, j] (+)= sum over t of a[r, t] b[t, j]
struct TileProduct {
    std::int64_t rows = 0, columns = 0, terms = 0;   // columns: a multiple of lanes
    const float* a = nullptr;
    std::int64_t a_row = 0, a_term = 1;
    const float* b = nullptr;
    std::int64_t b_term = 0;
    float* c = nullptr;
    std::int64_t c_row = 0;
    bool accumulate = false;
};

// c[r][c_offset + j] (+)= sum over t of a[r][a_offset + t] panel[t, j], rows anywhere in memory.
struct PanelProduct {
    std::int64_t rows = 0, terms = 0;
    int vectors = 0;                  // of a row of the panel: 1, 2 or 3
    const float* const* a = nullptr;
    std::int64_t a_offset = 0;
    const std::byte* panel = nullptr;
    Dtype stored = Dtype::F32;        // F16 and BF16 where the kernels widen
    float* const* c = nullptr;
    std::int64_t c_offset = 0;
    bool accumulate = false;
};

// Winograd's F(side x side, 3 x 3) over `channels`, a multiple of lanes. What is transformed has (side + 2)^2 planes, `step` floats apart;
// pixels and taps lie anywhere, row by row, and those of the next tile `ahead` floats from them.
struct WinogradKernels {
    // B^T d B of (side + 2)^2 pixels, G w G^T of 3 x 3 taps, A^T m A plus `bias` (or null) to side^2 pixels.
    void (*map)(const float* const* pixels, std::int64_t ahead, float* to, std::int64_t step, std::int64_t channels);
    void (*weight)(const float* const* taps, float* to, std::int64_t step, std::int64_t channels);
    void (*result)(const float* from, std::int64_t step, float* const* pixels, std::int64_t ahead, const float* bias, std::int64_t channels);
};

struct TileKernels {
    int lanes;
    bool widens;                      // `panel` takes panels of 16 bits
    void (*product)(const TileProduct&);
    void (*panel)(const PanelProduct&);
    // Over `count` floats, a multiple of lanes.
    void (*scale)(float* x, float factor, std::int64_t count);
    // x = p (x - offset): the gradient of a softmax row.
    void (*softmax_grad)(float* x, const float* p, float offset, std::int64_t count);
    WinogradKernels winograd_2x2, winograd_4x4;
    // Of 4 x 4: A y A^T of 4 x 4 pixels of a gradient, and the adjoint of `weight`.
    void (*winograd_result_grad)(const float* const* pixels, std::int64_t ahead, float* to, std::int64_t step, std::int64_t channels);
    void (*winograd_weight_grad)(const float* from, std::int64_t step, float* const* taps, std::int64_t channels);
};

const TileKernels& tile_kernels();
// Those of 4, 8 or 16 lanes, at most vector_lanes(): tests compare them.
const TileKernels& tile_kernels(int lanes);

}  // namespace gpu
