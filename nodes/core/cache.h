// Results of nodes by cache key, within a budget of bytes; the least recently used go first. Shared between runs.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "gpu/base/hash.h"
#include "nodes/core/eval.h"

namespace nodes {

// All that a node left behind, so that a hit tells the same story as the first run.
struct NodeResult {
    std::vector<Value> outputs;
    std::vector<Eval::Metric> metrics;
    std::vector<std::string> warnings;

    std::size_t bytes() const;
};

// Every function may be called from any thread.
class ResultCache {
public:
    explicit ResultCache(std::size_t budget = std::size_t{1} << 30) : budget_(budget) {}

    std::optional<NodeResult> find(const gpu::Hash& key);  // counts as a use
    bool contains(const gpu::Hash& key) const;             // does not
    // A result above the whole budget is not kept in memory. `compute_ms`: how long it took, which decides whether the disk
    // keeps it too.
    void store(const gpu::Hash& key, NodeResult result, double compute_ms = 0);
    // A second tier, asked where memory has nothing. Before any run uses the cache.
    void set_disk(std::shared_ptr<class DiskCache> disk) { disk_ = std::move(disk); }
    void clear();
    void set_budget(std::size_t bytes);

    struct Stats {
        std::size_t entries = 0;
        std::size_t bytes = 0;
        std::uint64_t hits = 0;
        std::uint64_t misses = 0;
        std::uint64_t evicted = 0;
    };
    Stats stats() const;

private:
    struct Entry {
        gpu::Hash key;
        NodeResult result;
        std::size_t bytes;
    };
    void insert(const gpu::Hash& key, NodeResult result);
    void shrink();  // the lock is held

    std::shared_ptr<class DiskCache> disk_;

    mutable std::mutex mutex_;
    std::size_t budget_;
    std::list<Entry> entries_;  // most recently used first
    std::unordered_map<gpu::Hash, std::list<Entry>::iterator> index_;
    Stats stats_;
};

}  // namespace nodes
