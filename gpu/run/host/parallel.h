// Threads for host kernels: the team that oneDNN uses, so that its waiting threads and ours are the same ones.
#pragma once

#include <cstdint>
#include <functional>

namespace gpu {

int parallel_threads();

// Calls body(item, thread) for every item below `count`, each thread taking the next item when it is free.
// 0 <= thread < parallel_threads(). `body` must not throw. Throws Cancelled, with items left out, where the calling thread's
// CancelScope was asked to stop.
void parallel_for(std::int64_t count, const std::function<void(std::int64_t item, int thread)>& body);

// The same for items that walk over `elements` numbers together: by the calling thread alone where these are so few that others are
// not worth waking.
void parallel_walk(std::int64_t count, std::int64_t elements, const std::function<void(std::int64_t item)>& body);

}  // namespace gpu
