// The leaves of one device: copies made on first use, the least recently used dropped first when room is needed. What
// host kernels packed from a weight counts too, and can be dropped and made again. Values that the device computed are
// listed so that, where memory is not unified, they can be moved to the host. Used under its engine's lock.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "gpu/graph/storage.h"
#include "gpu/run/leaf.h"
#include "gpu/vulkan/device.h"

namespace gpu {

class Residency {
public:
    explicit Residency(std::shared_ptr<Device> device) : device_(std::move(device)) {}
    ~Residency();   // drops all copies that the host can make again
    Residency(const Residency&) = delete;
    Residency& operator=(const Residency&) = delete;

    // The storage's bytes on the device in `order`; `key` is device_key() of it. Uploaded when they are not there. Throws
    // Error{OutOfMemory} when nothing more can be dropped.
    BufferRef copy_of(const StorageRef& storage, const std::string& key, const Order& order);
    // Looks, without making or touching anything.
    bool holds(const StorageRef& storage, const std::string& key) const;

    // A buffer, after dropping as many copies as it takes.
    BufferRef allocate(std::size_t bytes);
    // From now on buffers that find no room on the device go to host memory, which shaders reach more slowly.
    void use_host_memory(bool on) { host_memory_ = on; }

    // Copies used since are kept whatever happens: a run calls it before it binds.
    void keep_from_now() { kept_since_ = ++clock_; }
    // Sorts out a second set beside the kept one; keep_from(that) later lets the first go.
    std::uint64_t next_set() { return ++clock_; }
    void keep_from(std::uint64_t set) { kept_since_ = set; }

    // Drops copies of weights that nobody holds any more, then others, oldest first, until `bytes` are free or nothing is left to
    // drop. Returns the bytes dropped.
    std::uint64_t evict(std::uint64_t bytes);
    std::uint64_t evictable() const;
    // Moves computed values to the host; 0 on unified memory, where they are there already.
    std::uint64_t spill();

    // Lists a value that the device computed.
    void add_value(const StorageRef& storage);
    // Lists what host kernels derived from the leaf since the last call.
    void note_packed(const StorageRef& storage);
    bool has_packed(const StorageRef& storage) const;

    struct Counters {
        std::uint64_t uploads = 0, uploaded_bytes = 0, evictions = 0, evicted_bytes = 0;
    };
    const Counters& counters() const { return counters_; }

private:
    struct Entry {
        std::weak_ptr<Storage> storage;
        std::string key;
        std::uint64_t bytes = 0;
        std::uint64_t used = 0;            // packed weights; device copies keep it themselves
        bool packed = false, value = false;
    };
    using Entries = std::list<Entry>;
    std::uint64_t last_use(const Entry& entry) const;
    Entries::iterator drop(Entries::iterator entry);
    void forget_dead();

    std::shared_ptr<Device> device_;
    Entries entries_;
    std::unordered_map<const void*, Entries::iterator> packed_;   // by what a host kernel made
    std::uint64_t clock_ = 1, kept_since_ = 1;
    bool host_memory_ = false;
    Counters counters_;
};

}  // namespace gpu
