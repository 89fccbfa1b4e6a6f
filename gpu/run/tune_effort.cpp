#include "gpu/run/tune_effort.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <utility>

namespace gpu {
namespace {

constexpr int repeats = 3;
constexpr double hopeless = 1.5;          // times the best so far, in a first run that counts
constexpr double long_enough = 0.05;      // seconds: one run that takes this long says enough
constexpr std::size_t most_tiles = 4;     // beside the default
constexpr double most_distance = 2;       // powers of two between the area of the default's tile and another's

// "split_4_coop_128x64" -> kind coop, tile 128x64, split.
struct Name {
    explicit Name(std::string_view name) : split(name.starts_with("split_")) {
        tile = split ? name.substr(std::min(name.find('_', 6), name.size() - 1) + 1) : name;
        const std::size_t at = tile.find('_');
        kind = tile.substr(0, at);
        int m = 0, n = 0;
        if (at != std::string_view::npos && std::sscanf(std::string(tile.substr(at + 1)).c_str(), "%dx%d", &m, &n) == 2)
            area = static_cast<double>(m) * n;
    }
    bool split;
    std::string_view tile, kind;
    double area = 0;   // of a name without a size
};

}  // namespace

std::vector<std::string> worth_measuring(const std::vector<std::string>& variants, bool software) {
    if (software || variants.size() < 2) return variants;
    const auto offers = [&](std::string_view kind) {
        return std::any_of(variants.begin(), variants.end(), [&](const std::string& name) { return Name(name).kind == kind; });
    };
    const bool matrices = offers("coop"), tiles = matrices || offers("tile");
    const Name usual(variants[0]);
    std::vector<std::pair<double, std::string>> near;   // by distance from the default
    std::vector<std::string> others;                    // that have no tile of their own, as Winograd's convolution
    for (std::size_t i = 1; i < variants.size(); ++i) {
        const Name name(variants[i]);
        if (name.kind == "simple" || name.kind == "subgroup") {   // one result to a lane; matrices without matrix units
            if (!tiles) near.emplace_back(0, variants[i]);
        } else if (name.area == 0) {
            others.push_back(variants[i]);
        } else if (matrices && name.kind != "coop") {   // rates far apart; the smallest tile may have its use for a few rows
            if (name.tile == "tile_32x32" && !name.split) near.emplace_back(most_distance, variants[i]);
        } else {
            // Where even small tiles are too few for the device, larger ones are fewer still.
            if (usual.split && !name.split && name.kind == usual.kind && name.tile != usual.tile) continue;
            const double distance = usual.area > 0 ? std::abs(std::log2(name.area / usual.area)) : std::log2(name.area);
            if (usual.area == 0 || distance <= most_distance) near.emplace_back(distance, variants[i]);
        }
    }
    std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> names{variants[0]};
    for (std::size_t i = 0; i < std::min(near.size(), most_tiles); ++i) names.push_back(near[i].second);
    names.insert(names.end(), others.begin(), others.end());
    return names;
}

double least_seconds(const std::function<double()>& run, double best) {
    run();
    double least = run();
    for (int i = 1; i < repeats; ++i) {
        if (least > long_enough || (best > 0 && least > hopeless * best)) break;
        least = std::min(least, run());
    }
    return least;
}

}  // namespace gpu
