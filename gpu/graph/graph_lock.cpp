#include "gpu/graph/graph_lock.h"

#include <mutex>

namespace gpu {
namespace {

std::recursive_mutex& graph_mutex() {
    static auto* mutex = new std::recursive_mutex;   // outlives every static Tensor
    return *mutex;
}

}  // namespace

GraphLock::GraphLock() { graph_mutex().lock(); }
GraphLock::~GraphLock() { graph_mutex().unlock(); }

}  // namespace gpu
