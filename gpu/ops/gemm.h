// The kernels that multiply matrices, shared by the ops that are such products: which there are, and how they tile.
#pragma once

#include <string>
#include <vector>

#include "gpu/graph/kernel.h"

namespace gpu {

// [batch, m, k] times [batch or 1, k, n].
struct GemmShape {
    std::int64_t batch = 1, m = 0, n = 0, k = 0;
};

enum class GemmKind {
    Simple,     // an invocation computes 4 x 4 results from memory: cheap to compile, poor at reuse
    Tile,       // shaders/common/gemm_tile.glsl: through shared memory
    Coop,       // shaders/common/gemm_coop.glsl: cooperative matrices of halves
    Subgroup,   // the same in floats, by shuffles
};

struct GemmTiling {
    std::string name;                   // "tile_64x64"
    GemmKind kind = GemmKind::Simple;
    std::uint32_t m = 0, n = 0;         // results of a workgroup
    std::uint32_t inner_m = 0, inner_n = 0;   // Tile: results of an invocation; Coop, Subgroup: matrices of a subgroup

    std::uint32_t lanes(const DeviceTraits& traits) const;
    std::uint32_t shared_bytes() const;
    std::int64_t step_k() const;        // elements along k of one step of the loop
};

const GemmTiling& gemm_tiling(const std::string& name);

// Names of the kernels that serve, the default first. The default is the simple one on processors; else the largest tile
// of the best kind that still gives `enough` workgroups. Cooperative matrices serve halves only (`halves`: both inputs are
// F16).
std::vector<std::string> gemm_variants(const GemmShape& shape, bool halves, const DeviceTraits& traits);

// Shader (`op`_tile or `op`_coop), constants, workgroups and subgroup size of a kind other than Simple. `tail`: the last step
// along k is not a whole one.
void lower_gemm(KernelBuilder& kernel, const std::string& op, const GemmTiling& tiling, const GemmShape& shape, bool tail);

}  // namespace gpu
