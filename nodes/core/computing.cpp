#include "nodes/core/computing.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace nodes {
namespace {

constexpr auto cancel_poll = std::chrono::milliseconds(20);

std::mutex mutex;
std::condition_variable changed;

// Few: one a device.
std::vector<std::pair<const ResultCache*, gpu::Hash>>& going() {
    static std::vector<std::pair<const ResultCache*, gpu::Hash>> keys;
    return keys;
}

}  // namespace

Computing::Computing(const ResultCache& cache, const gpu::Hash& key, const gpu::CancelToken& cancel) : cache_(&cache), key_(key) {
    std::unique_lock lock(mutex);
    while (std::ranges::find(going(), std::pair(cache_, key_)) != going().end()) {
        cancel.check();
        changed.wait_for(lock, cancel_poll);
    }
    going().emplace_back(cache_, key_);
}

Computing::~Computing() {
    {
        const std::lock_guard lock(mutex);
        going().erase(std::ranges::find(going(), std::pair(cache_, key_)));
    }
    changed.notify_all();
}

}  // namespace nodes
