// Lazy tensors are shared: threads that compute on different devices may hold the same ones, and whoever gives a tensor its
// value lets go of its inputs. What walks a tensor graph does so under this lock, and values are set under it.
#pragma once

namespace gpu {

// Held while it lives, by one thread at a time, which may take it again. Nothing is computed under it.
class GraphLock {
public:
    GraphLock();
    ~GraphLock();
    GraphLock(const GraphLock&) = delete;
    GraphLock& operator=(const GraphLock&) = delete;
};

}  // namespace gpu
