// Results of nodes in a folder: what survives the process, shared between runs, programs and users of the folder.
//
// One file a result, `<hash>.safetensors`, written beside and renamed, so that it is there whole or not at all. Its name is made
// of the node's content key and the stamp of who computes: another build or another way to compute never meets it. A file
// that is damaged counts as absent and is removed. The folder keeps to a budget; files that were read least recently go first.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gpu/base/hash.h"
#include "nodes/core/cache.h"

namespace nodes {

class DiskCache {
public:
    struct Place {
        std::string folder;
        std::uint64_t budget = std::uint64_t{4} << 30;
        std::string stamp;
    };
    // The usual one: `results` in gpu::cache_directory(), HEDDLE_CACHE_BUDGET, and a stamp of `build` and the switches that
    // change how numbers come about. Nothing where the budget is 0 or a debugging switch wants everything computed.
    static std::optional<Place> usual(const std::string& build);

    explicit DiskCache(Place place) : place_(std::move(place)) {}

    // Every function may be called from any thread, and by several processes at once; none throws.
    std::optional<NodeResult> find(const gpu::Hash& key);
    // Keeps the result, unless computing took less than reading it will, or some output can not be stored.
    void store(const gpu::Hash& key, const NodeResult& result, double compute_ms);

    struct Stats {
        std::uint64_t files = 0, bytes = 0;
    };
    Stats stats() const;
    struct Entry {
        std::string file;               // its name in the folder
        std::string holds;              // types of the outputs, "latent" or "model, encoder, vae"; empty for a damaged file
        std::uint64_t bytes = 0;
        std::int64_t used_ago = 0;      // seconds since it was last read or written
    };
    std::vector<Entry> list() const;    // most recently used first; opens every file
    // Removes the least recently used files until `budget` bytes are left. Returns what was removed.
    Stats trim(std::uint64_t budget);
    const Place& place() const { return place_; }

private:
    std::string path_of(const gpu::Hash& key) const;

    const Place place_;
    std::mutex mutex_;
    std::optional<std::uint64_t> bytes_;      // as far as this process knows
};

}  // namespace nodes
