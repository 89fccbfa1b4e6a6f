// Some items out of many, spread evenly over all of them: for statistics and samples.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace nodes {

// At most `most` numbers from 0 up to `size`, ascending.
inline std::vector<std::int64_t> spread_items(std::int64_t most, std::int64_t size) {
    std::vector<std::int64_t> items(static_cast<std::size_t>(std::min(most, size)));
    for (std::size_t i = 0; i < items.size(); ++i) items[i] = static_cast<std::int64_t>(i) * size / static_cast<std::int64_t>(items.size());
    return items;
}

}  // namespace nodes
