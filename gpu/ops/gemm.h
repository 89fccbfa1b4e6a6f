// The kernels that multiply matrices, shared by the ops that are such products: which there are, and how they tile.
#pragma once

#include <string>
#include <vector>

#include "gpu/graph/kernel.h"
#include "gpu/graph/tensor.h"

namespace gpu {

// [batch, m, k] times [batch or 1, k, n].
struct GemmShape {
    std::int64_t batch = 1, m = 0, n = 0, k = 0;
};

double gemm_flop(const GemmShape& shape);

enum class GemmKind {
    Simple,     // an invocation computes 4 x 4 results from memory: cheap to compile, poor at reuse
    Tile,       // shaders/common/gemm_tile.glsl: through shared memory
    Half,       // shaders/common/gemm_half.glsl: short sums in halves (DeviceTraits::half_products)
    Coop,       // shaders/common/gemm_coop.glsl: cooperative matrices of halves
    Subgroup,   // the same in floats, by shuffles
};

struct GemmTiling {
    std::string name;                   // "tile_64x64"
    GemmKind kind = GemmKind::Simple;
    std::uint32_t m = 0, n = 0;         // results of a workgroup
    std::uint32_t inner_m = 0, inner_n = 0;   // Tile, Half: results of an invocation; Coop, Subgroup: matrices of a subgroup

    std::uint32_t lanes(const DeviceTraits& traits) const;
    std::uint32_t shared_bytes() const;
    std::int64_t step_k() const;        // elements along k of one step of the loop
};

// Of a variant: "tile_64x64", "split_4_tile_64x64".
const GemmTiling& gemm_tiling(const std::string& name);
// Into how many parts at most a variant cuts the sum over k, each for workgroups of its own, whose results are summed in a second step:
// for products of so few results that a GPU would stay idle. 1: not at all.
std::int64_t gemm_parts(const std::string& name);
struct SplitK {
    std::int64_t parts = 1, length = 0;   // elements along k of each part but the last: whole steps of the loop
};
// Results of `parts` products [batch, ...] lie as [parts, ...] where the batch is 1, so that the sum over them keeps the rank and
// what follows fuses with it; else as [parts, batch, ...].
Shape shape_of_parts(std::int64_t parts, Shape result);
Tensor sum_of_parts(const Tensor& parts, const Spec& result);
SplitK split_k(const GemmTiling& tiling, std::int64_t k, std::int64_t most_parts);

// Names of the kernels that serve, the default first. The default is the simple one on processors; else the largest tile
// of the best kind that still gives `enough` workgroups, split along k where none does. Cooperative matrices and half products serve halves only (`halves`: both
// inputs are F16); the latter are never the default.
std::vector<std::string> gemm_variants(const GemmShape& shape, bool halves, const DeviceTraits& traits);

// Shader (`op`_tile; `op`_coop of the other kinds), constants, workgroups and subgroup size of a kind other than Simple. `tail`: the last step
// along k is not a whole one. With several parts the shader's results are F32 (shape_of_parts), and it wants two more numbers
// pushed (common/split_k.glsl).
void lower_gemm(KernelBuilder& kernel, const std::string& op, const GemmTiling& tiling, const GemmShape& shape, bool tail,
                std::int64_t parts = 1);

}  // namespace gpu
