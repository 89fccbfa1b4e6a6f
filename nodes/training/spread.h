// Some items out of many, spread evenly over all of them: for statistics and samples.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "nodes/types/dataset.h"

namespace nodes {

// At most `most` numbers from 0 up to `size`, ascending.
inline std::vector<std::int64_t> spread_items(std::int64_t most, std::int64_t size) {
    std::vector<std::int64_t> items(static_cast<std::size_t>(std::min(most, size)));
    for (std::size_t i = 0; i < items.size(); ++i) items[i] = static_cast<std::int64_t>(i) * size / static_cast<std::int64_t>(items.size());
    return items;
}

// The same of a dataset, all of one size: of the largest bucket where it has several.
inline std::vector<std::int64_t> spread_items(std::int64_t most, const Dataset& dataset) {
    const std::vector<int> groups = dataset.groups();
    if (groups.empty()) return spread_items(most, dataset.size());
    std::vector<std::vector<std::int64_t>> members(static_cast<std::size_t>(*std::max_element(groups.begin(), groups.end())) + 1);
    for (std::size_t i = 0; i < groups.size(); ++i) members[static_cast<std::size_t>(groups[i])].push_back(static_cast<std::int64_t>(i));
    const auto& largest = *std::max_element(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
    std::vector<std::int64_t> items = spread_items(most, static_cast<std::int64_t>(largest.size()));
    for (std::int64_t& item : items) item = largest[static_cast<std::size_t>(item)];
    return items;
}

}  // namespace nodes
