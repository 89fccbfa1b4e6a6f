#include "nodes/core/cache.h"

#include "nodes/core/disk_cache.h"

namespace nodes {

std::size_t NodeResult::bytes() const {
    std::size_t sum = sizeof *this;
    for (const Value& value : outputs) sum += value.bytes();
    return sum;
}

std::optional<NodeResult> ResultCache::find(const gpu::Hash& key) {
    {
        const std::lock_guard lock(mutex_);
        if (const auto at = index_.find(key); at != index_.end()) {
            ++stats_.hits;
            entries_.splice(entries_.begin(), entries_, at->second);
            return at->second->result;
        }
    }
    std::optional<NodeResult> stored;
    if (disk_) stored = disk_->find(key);
    if (stored) insert(key, *stored);
    const std::lock_guard lock(mutex_);
    ++(stored ? stats_.hits : stats_.misses);
    return stored;
}

bool ResultCache::contains(const gpu::Hash& key) const {
    const std::lock_guard lock(mutex_);
    return index_.contains(key);
}

void ResultCache::store(const gpu::Hash& key, NodeResult result, double compute_ms) {
    if (disk_) disk_->store(key, result, compute_ms);
    insert(key, std::move(result));
}

void ResultCache::insert(const gpu::Hash& key, NodeResult result) {
    const std::size_t bytes = result.bytes();
    const std::lock_guard lock(mutex_);
    if (const auto at = index_.find(key); at != index_.end()) {
        stats_.bytes -= at->second->bytes;
        entries_.erase(at->second);
        index_.erase(at);
    }
    if (bytes <= budget_) {
        entries_.push_front({key, std::move(result), bytes});
        index_[key] = entries_.begin();
        stats_.bytes += bytes;
    }
    shrink();
}

void ResultCache::shrink() {
    while (stats_.bytes > budget_) {
        stats_.bytes -= entries_.back().bytes;
        ++stats_.evicted;
        index_.erase(entries_.back().key);
        entries_.pop_back();
    }
    stats_.entries = entries_.size();
}

void ResultCache::clear() {
    const std::lock_guard lock(mutex_);
    entries_.clear();
    index_.clear();
    stats_.bytes = stats_.entries = 0;
}

void ResultCache::set_budget(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    budget_ = bytes;
    shrink();
}

ResultCache::Stats ResultCache::stats() const {
    const std::lock_guard lock(mutex_);
    return stats_;
}

}  // namespace nodes
