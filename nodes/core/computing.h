// Results that runs beside one another, which share a cache, are computing now: one of them computes each, the others wait and take it from the cache.
#pragma once

#include "gpu/base/cancel.h"
#include "gpu/base/hash.h"
#include "nodes/core/cache.h"

namespace nodes {

// The key is this thread's to compute while it lives. Not to be held while another one is asked for.
class Computing {
public:
    // Waits while another thread has the key. Throws Cancelled.
    Computing(const ResultCache& cache, const gpu::Hash& key, const gpu::CancelToken& cancel);
    ~Computing();
    Computing(const Computing&) = delete;
    Computing& operator=(const Computing&) = delete;

private:
    const ResultCache* cache_;
    const gpu::Hash key_;
};

}  // namespace nodes
