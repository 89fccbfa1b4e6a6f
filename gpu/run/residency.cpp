#include "gpu/run/residency.h"

#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/span.h"

namespace gpu {
namespace {

std::shared_ptr<DeviceCopy> copy_under(const StorageRef& storage, const std::string& key) {
    const std::lock_guard lock(storage->mutex);
    const auto found = storage->derived.find(key);
    return found == storage->derived.end() ? nullptr : std::static_pointer_cast<DeviceCopy>(found->second);
}

}  // namespace

Residency::~Residency() {
    for (auto entry = entries_.begin(); entry != entries_.end();) entry = entry->value ? std::next(entry) : drop(entry);
}

bool Residency::holds(const StorageRef& storage, const std::string& key) const { return copy_under(storage, key) != nullptr; }

BufferRef Residency::copy_of(const StorageRef& storage, const std::string& key, const Order& order) {
    if (const auto copy = copy_under(storage, key)) {
        copy->used = clock_;
        return copy->buffer;
    }
    const Span span("io", "upload", to_string(storage->spec));
    const std::span<const std::byte> bytes = host_bytes(storage);
    const BufferRef buffer = allocate(std::max<std::size_t>(bytes.size(), 4));
    if (order == storage->order) {
        upload(*device_, buffer, bytes);
    } else if (buffer->mapped()) {
        reorder(bytes, {buffer->mapped(), bytes.size()}, storage->spec, storage->order, order);
    } else {
        std::vector<std::byte> reordered(bytes.size());
        reorder(bytes, reordered, storage->spec, storage->order, order);
        upload(*device_, buffer, reordered);
    }
    ++counters_.uploads;
    counters_.uploaded_bytes += bytes.size();

    auto copy = std::make_shared<DeviceCopy>();
    copy->device = device_;
    copy->buffer = buffer;
    copy->order = order;
    copy->used = clock_;
    {
        const std::lock_guard lock(storage->mutex);
        storage->derived[key] = copy;
    }
    forget_dead();
    entries_.push_back({storage, key, buffer->size()});
    return buffer;
}

BufferRef Residency::allocate(std::size_t bytes) {
    for (;;) {
        try {
            return device_->allocate(bytes);
        } catch (const Error& error) {
            if (error.code() != ErrorCode::OutOfMemory) throw;
            if (evict(bytes) > 0) continue;
            if (host_memory_ && !device_->caps().unified_memory) return device_->allocate(bytes, Domain::Upload);
            throw;
        }
    }
}

std::uint64_t Residency::last_use(const Entry& entry) const {
    if (entry.packed) return entry.used;
    const StorageRef storage = entry.storage.lock();
    const auto copy = storage ? copy_under(storage, entry.key) : nullptr;
    return copy ? copy->used.load() : 0;
}

Residency::Entries::iterator Residency::drop(Entries::iterator entry) {
    const StorageRef storage = entry->storage.lock();
    std::shared_ptr<void> dropped;   // destroyed after the lock
    if (storage) {
        const std::lock_guard lock(storage->mutex);
        if (const auto found = storage->derived.find(entry->key); found != storage->derived.end()) {
            dropped = std::move(found->second);
            storage->derived.erase(found);
        }
    }
    if (entry->packed) {
        device_->adopt(-static_cast<std::int64_t>(entry->bytes));
        std::erase_if(packed_, [&](const auto& known) { return known.second == entry; });
    }
    return entries_.erase(entry);
}

// Entries of storages that died, a few at a time.
void Residency::forget_dead() {
    for (int i = 0; i < 4 && !entries_.empty(); ++i) {
        if (entries_.front().storage.expired()) {
            drop(entries_.begin());
        } else {
            entries_.splice(entries_.end(), entries_, entries_.begin());
        }
    }
}

std::uint64_t Residency::evict(std::uint64_t bytes) {
    std::vector<std::pair<std::uint64_t, Entries::iterator>> order;
    std::uint64_t freed = 0;
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        if (entry->storage.expired()) {
            if (entry->packed) freed += entry->bytes;
            entry = drop(entry);
            continue;
        }
        const std::uint64_t used = last_use(*entry);
        if (!entry->value && used < kept_since_) order.emplace_back(used, entry);
        ++entry;
    }
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [used, entry] : order) {
        if (freed >= bytes) break;
        freed += entry->bytes;
        ++counters_.evictions;
        counters_.evicted_bytes += entry->bytes;
        drop(entry);
    }
    if (freed > 0) log("memory", LogLevel::Debug, "dropped {} bytes of weights on {}", freed, device_->caps().name);
    return freed;
}

std::uint64_t Residency::evictable() const {
    std::uint64_t bytes = 0;
    for (const Entry& entry : entries_)
        if (!entry.value && !entry.storage.expired()) bytes += entry.bytes;
    return bytes;
}

std::uint64_t Residency::spill() {
    if (device_->caps().unified_memory) return 0;
    std::uint64_t freed = 0;
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        const StorageRef storage = entry->storage.lock();
        if (!storage || !entry->value || last_use(*entry) >= kept_since_) {
            ++entry;
            continue;
        }
        host_bytes(storage);
        freed += entry->bytes;
        entry = drop(entry);
    }
    return freed;
}

void Residency::add_value(const StorageRef& storage) {
    if (device_->caps().unified_memory) return;
    forget_dead();
    entries_.push_back({storage, device_key(*device_, storage->order), storage->bytes(), 0, false, true});
}

void Residency::note_packed(const StorageRef& storage) {
    const std::lock_guard lock(storage->mutex);
    for (const auto& [key, made] : storage->derived) {
        if (key.starts_with(device_key_prefix)) continue;
        const auto known = packed_.find(made.get());
        if (known != packed_.end() && !known->second->storage.expired() && known->second->key == key) {
            known->second->used = clock_;
            continue;
        }
        if (known != packed_.end()) {   // what was at this address is gone
            device_->adopt(-static_cast<std::int64_t>(known->second->bytes));
            entries_.erase(known->second);
            packed_.erase(known);
        }
        forget_dead();
        const std::uint64_t bytes = std::static_pointer_cast<HostMade>(made)->bytes;
        entries_.push_back({storage, key, bytes, clock_, true, false});
        packed_[made.get()] = std::prev(entries_.end());
        device_->adopt(static_cast<std::int64_t>(bytes));
    }
}

bool Residency::has_packed(const StorageRef& storage) const {
    const std::lock_guard lock(storage->mutex);
    return std::any_of(storage->derived.begin(), storage->derived.end(),
                       [](const auto& made) { return !made.first.starts_with(device_key_prefix); });
}

}  // namespace gpu
