#include "nodes/core/nearest.h"

#include <algorithm>
#include <numeric>

namespace nodes {
namespace {

std::size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t swap = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, swap});
        }
    }
    return row.back();
}

}  // namespace

std::string nearest(const std::string& wanted, const std::vector<std::string>& candidates) {
    std::string best;
    std::size_t least = std::max<std::size_t>(2, wanted.size() / 3) + 1;
    for (const std::string& candidate : candidates) {
        // The last part of a dotted name counts as the name: "encode" is near to "latent.encode".
        const std::string tail = candidate.substr(candidate.rfind('.') + 1);
        // No edit distance is below the difference of the lengths, which keeps very long names cheap.
        const std::size_t longer = std::max(wanted.size(), candidate.size()) - std::min(wanted.size(), candidate.size());
        if (tail != wanted && longer >= least) continue;
        const std::size_t distance = tail == wanted ? 1 : edit_distance(wanted, candidate);
        if (distance >= least || distance >= candidate.size()) continue;
        least = distance;
        best = candidate;
    }
    return best;
}

std::string suggestion(const std::string& wanted, const std::vector<std::string>& candidates) {
    if (const std::string near = nearest(wanted, candidates); !near.empty()) return "; did you mean '" + near + "'?";
    if (candidates.empty() || candidates.size() > 8) return {};
    std::string list;
    for (const std::string& candidate : candidates) list += (list.empty() ? "; there is " : ", ") + candidate;
    return list;
}

}  // namespace nodes
