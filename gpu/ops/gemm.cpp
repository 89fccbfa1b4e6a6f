#include "gpu/ops/gemm.h"

#include <algorithm>

#include "gpu/base/divide.h"
#include "gpu/base/error.h"
#include "gpu/ops.h"

namespace gpu {
namespace {

constexpr std::int64_t enough = 96;      // workgroups: about one for each core of a large GPU
constexpr std::int64_t most_parts = 16, least_part = 192;   // parts of a sum; elements along k of each, else the second step costs more
constexpr std::uint32_t block_k = 16;    // of Tile
constexpr std::uint32_t coop_block_k = 32;
constexpr std::uint32_t side = 16;       // of a matrix
constexpr std::string_view split_prefix = "split_";

const std::vector<GemmTiling>& tilings() {
    static const std::vector<GemmTiling> list = {
        {"coop_128x128", GemmKind::Coop, 128, 128, 4, 2}, {"coop_128x64", GemmKind::Coop, 128, 64, 4, 2},
        {"coop_64x64", GemmKind::Coop, 64, 64, 2, 2},     {"tile_128x128", GemmKind::Tile, 128, 128, 8, 8},
        {"tile_128x64", GemmKind::Tile, 128, 64, 8, 4},   {"tile_64x64", GemmKind::Tile, 64, 64, 4, 4},
        {"tile_32x32", GemmKind::Tile, 32, 32, 4, 4},     {"half_64x64", GemmKind::Half, 64, 64, 8, 4},
        {"half_32x32", GemmKind::Half, 32, 32, 4, 4},
        {"subgroup", GemmKind::Subgroup, 32, 32, 1, 1},
        {"simple", GemmKind::Simple, 16, 64, 4, 4},
    };
    return list;
}


std::int64_t workgroups(const GemmTiling& tiling, const GemmShape& shape) {
    return shape.batch * ceil_divide(shape.m, tiling.m) * ceil_divide(shape.n, tiling.n);
}

// The fewest parts that give `enough` workgroups, none of them with few elements to sum.
std::int64_t useful_parts(const GemmTiling& tiling, const GemmShape& shape, const DeviceTraits& traits) {
    std::int64_t parts = 1;
    while (parts < most_parts && parts * workgroups(tiling, shape) < enough && shape.k >= 2 * parts * least_part &&
           2 * parts * shape.batch <= traits.max_groups)
        parts *= 2;
    return parts;
}

bool runs_on(const GemmTiling& tiling, const GemmShape& shape, bool halves, const DeviceTraits& traits) {
    if (tiling.kind == GemmKind::Simple) return true;
    if (shape.m == 0 || shape.n == 0 || shape.k == 0) return false;   // the first loads ask for no permission
    if (tiling.kind == GemmKind::Coop && !(traits.cooperative_matrix && halves)) return false;
    if (tiling.kind == GemmKind::Half && !(traits.half_products && traits.float16 && halves)) return false;
    const std::uint32_t subgroup = traits.coop_subgroup;
    const bool known = subgroup >= 4 && subgroup <= 64 && (subgroup & (subgroup - 1)) == 0;
    if (tiling.kind == GemmKind::Subgroup && !(traits.subgroup_shuffle && known)) return false;
    // Every invocation loads a word of each tile at least (common/gemm_words.glsl).
    const std::uint32_t words = coop_block_k / (tiling.kind == GemmKind::Coop ? 8 : 4);
    if (tiling.kind != GemmKind::Tile && tiling.lanes(traits) > std::min(tiling.m, tiling.n) * words) return false;
    if (ceil_divide(shape.m, tiling.m) > traits.max_groups || shape.batch > traits.max_groups) return false;
    return tiling.lanes(traits) <= traits.max_lanes && tiling.shared_bytes() <= traits.max_shared_bytes;
}

}  // namespace

double gemm_flop(const GemmShape& shape) {
    return 2.0 * static_cast<double>(shape.batch * shape.m * shape.n) * static_cast<double>(shape.k);
}

std::uint32_t GemmTiling::lanes(const DeviceTraits& traits) const {
    const std::uint32_t parts = m / inner_m * (n / inner_n);
    switch (kind) {
        case GemmKind::Simple: return 64;
        case GemmKind::Tile:
        case GemmKind::Half: return parts;
        case GemmKind::Coop:
        case GemmKind::Subgroup: return parts / (side * side) * traits.coop_subgroup;
    }
    return 0;
}

// As the shaders declare it.
std::uint32_t GemmTiling::shared_bytes() const {
    switch (kind) {
        case GemmKind::Simple: return 0;
        case GemmKind::Tile: return block_k * (m / 4 + 1 + n / 4 + 1) * 16;   // half as much where both inputs are F16
        case GemmKind::Half: return 2 * (m + n) * 5 * 16;
        case GemmKind::Coop: return 2 * (m + n) * 5 * 16 + m / inner_m * (n / inner_n) * 4;
        case GemmKind::Subgroup: return 2 * (m + n) * 9 * 16 + m / inner_m * (n / inner_n) * 4;
    }
    return 0;
}

std::int64_t GemmTiling::step_k() const { return kind == GemmKind::Tile ? block_k : coop_block_k; }

const GemmTiling& gemm_tiling(const std::string& name) {
    const bool split = name.starts_with(split_prefix);
    const std::string_view plain = split ? std::string_view(name).substr(name.find('_', split_prefix.size()) + 1) : name;
    for (const GemmTiling& tiling : tilings())
        if (tiling.name == plain) return tiling;
    throw Error(ErrorCode::Failure, "matrix product: expected the name of a kernel variant, got \"{}\"", name);
}

std::int64_t gemm_parts(const std::string& name) {
    return name.starts_with(split_prefix) ? std::stoll(name.substr(split_prefix.size())) : 1;
}

SplitK split_k(const GemmTiling& tiling, std::int64_t k, std::int64_t most_parts) {
    const std::int64_t steps = ceil_divide(k, tiling.step_k()), in_part = std::max<std::int64_t>(1, ceil_divide(steps, most_parts));
    return {ceil_divide(steps, in_part), in_part * tiling.step_k()};
}

std::vector<std::string> gemm_variants(const GemmShape& shape, bool halves, const DeviceTraits& traits) {
    std::vector<std::string> names;
    for (const GemmTiling& tiling : tilings())
        if (runs_on(tiling, shape, halves, traits)) names.push_back(tiling.name);
    std::string best = "simple";
    if (!traits.software && shape.m > 1) {
        // Of the best kind there is (the list's first), the largest tile with enough workgroups, else the smallest.
        const GemmKind kind = gemm_tiling(names[0]).kind;
        for (const std::string& name : names) {
            const GemmTiling& tiling = gemm_tiling(name);
            if (tiling.kind != kind) break;
            best = name;
            if (workgroups(tiling, shape) >= enough) break;
        }
    }
    const std::size_t whole = names.size();
    for (std::size_t i = 0; i < whole; ++i) {   // of the best kind too, and of half products
        const GemmTiling& tiling = gemm_tiling(names[i]);
        const bool of_best = tiling.kind == gemm_tiling(names[0]).kind && tiling.kind != GemmKind::Simple;
        const std::int64_t parts = of_best || tiling.kind == GemmKind::Half ? useful_parts(tiling, shape, traits) : 1;
        if (parts == 1) continue;
        names.push_back(format("{}{}_{}", split_prefix, parts, tiling.name));
        if (tiling.name == best) best = names.back();
    }
    const auto at = std::find(names.begin(), names.end(), best);
    std::rotate(names.begin(), at, at + 1);
    return names;
}

Shape shape_of_parts(std::int64_t parts, Shape result) {
    if (result[0] == 1) result[0] = parts;
    else result.insert(result.begin(), parts);
    return result;
}

Tensor sum_of_parts(const Tensor& parts, const Spec& result) {
    if (parts.shape().size() == result.shape.size()) return cast(sum(parts, {0}), result.dtype);
    Tensor total;
    for (std::int64_t i = 0; i < parts.size(0); ++i) {
        const Tensor part = reshape(slice(parts, 0, i, i + 1), result.shape);
        total = total ? total + part : part;
    }
    return cast(total, result.dtype);
}

void lower_gemm(KernelBuilder& kernel, const std::string& op, const GemmTiling& tiling, const GemmShape& shape, bool tail, std::int64_t parts) {
    const DeviceTraits& traits = kernel.traits();
    const bool tiled = tiling.kind == GemmKind::Tile;
    kernel.shader(op + (tiled ? "_tile" : "_coop")).with_vectors();
    kernel.constant(tiling.lanes(traits)).constant(tiling.m).constant(tiling.n);
    if (tiled) kernel.constant(block_k);
    kernel.constant(tiling.inner_m).constant(tiling.inner_n);
    if (!tiled) kernel.constant(tail);
    if (tiling.kind == GemmKind::Coop || tiling.kind == GemmKind::Subgroup) kernel.subgroups_of(traits.coop_subgroup);
    if (tiling.kind == GemmKind::Half) kernel.define("HALF_PRODUCTS");
    if (tiling.kind == GemmKind::Half && traits.software) kernel.define("FMA_IN_FLOATS");
    // Not where there are matrix units: RDNA 3 issues two multiply-adds of floats at once, but not those that read halves.
    if (tiled && traits.float16 && !traits.cooperative_matrix) kernel.define("HALF_TILES");
    if (tiling.kind == GemmKind::Subgroup) kernel.define("COOP_SUBGROUP=" + std::to_string(traits.coop_subgroup));
    kernel.groups(ceil_divide(shape.n, tiling.n), ceil_divide(shape.m, tiling.m), shape.batch * parts);
    if (parts > 1) kernel.define("SPLIT_K");
}

}  // namespace gpu
