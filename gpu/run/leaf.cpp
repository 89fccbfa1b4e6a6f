#include "gpu/run/leaf.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gpu/base/error.h"
#include "gpu/base/span.h"

namespace gpu {
namespace {

// Staging buffers are this large: two of them move a weight of any size.
constexpr std::size_t staging_bytes = 32 << 20;

constexpr std::size_t least_staging_bytes = 64 << 10;

// A staging buffer of `wanted` bytes, or of less where that finds no room.
BufferRef staging_buffer(Device& device, std::size_t wanted, Domain domain) {
    for (std::size_t bytes = wanted;; bytes /= 2) {
        try {
            return device.allocate(bytes, domain);
        } catch (const Error& error) {
            if (error.code() != ErrorCode::OutOfMemory) throw;
            if (bytes <= least_staging_bytes) break;
        }
    }
    device.trim();
    return device.allocate(std::min(wanted, least_staging_bytes), domain);
}

// Innermost loop of reorder: `count` elements of `size` bytes, the source `stride` bytes apart.
template <typename T>
void gather(const std::byte* source, std::byte* target, std::int64_t count, std::int64_t stride) {
    for (std::int64_t i = 0; i < count; ++i) std::memcpy(target + i * static_cast<std::int64_t>(sizeof(T)), source + i * stride, sizeof(T));
}

}  // namespace

void reorder(std::span<const std::byte> source, std::span<std::byte> target, const Spec& spec, const Order& from, const Order& to) {
    if (from == to || source.empty()) {
        if (!source.empty()) std::memcpy(target.data(), source.data(), source.size());
        return;
    }
    const auto size = static_cast<std::int64_t>(size_of(spec.dtype));
    const Shape strides = dense_strides(spec.shape, from);
    const int inner = to.back();
    const std::int64_t count = spec.shape[inner], stride = strides[inner] * size;
    const auto copy = size == 4 ? gather<std::uint32_t> : size == 2 ? gather<std::uint16_t> : size == 1 ? gather<std::uint8_t> : gather<std::uint64_t>;
    std::vector<std::int64_t> index(to.size(), 0);
    std::byte* out = target.data();
    const std::int64_t rows = element_count(spec.shape) / count;
    for (std::int64_t row = 0; row < rows; ++row) {
        std::int64_t at = 0;
        for (std::size_t d = 0; d + 1 < to.size(); ++d) at += index[d] * strides[to[d]];
        copy(source.data() + at * size, out, count, stride);
        out += count * size;
        for (std::size_t d = to.size() - 1; d-- > 0;) {
            if (++index[d] < spec.shape[to[d]]) break;
            index[d] = 0;
        }
    }
}

void upload(Device& device, const BufferRef& buffer, std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    if (buffer->mapped()) {
        std::memcpy(buffer->mapped(), bytes.data(), bytes.size());
        return;
    }
    std::uint64_t before_last = 0, last = 0;
    for (std::size_t at = 0; at < bytes.size();) {
        if (before_last > 0) device.wait(before_last);
        // It lives until the copy has ended.
        const BufferRef staging = staging_buffer(device, std::min(staging_bytes, bytes.size() - at), Domain::Upload);
        const std::span<const std::byte> piece = bytes.subspan(at, staging->size());
        std::memcpy(staging->mapped(), piece.data(), piece.size());
        const CommandsRef commands = device.record();
        commands->copy(*staging, 0, *buffer, at, piece.size());
        commands->end();
        before_last = std::exchange(last, device.submit(commands));
        at += piece.size();
    }
}

std::vector<std::byte> download(Device& device, const Buffer& buffer, std::size_t offset, std::size_t bytes) {
    std::vector<std::byte> result(bytes);
    if (buffer.mapped()) {
        device.wait_idle();
        std::memcpy(result.data(), buffer.mapped() + offset, bytes);
        return result;
    }
    for (std::size_t at = 0; at < bytes;) {
        const BufferRef staging = staging_buffer(device, std::min(staging_bytes, bytes - at), Domain::Readback);
        const std::size_t size = staging->size();
        const CommandsRef commands = device.record();
        commands->copy(buffer, offset + at, *staging, 0, size);
        commands->end();
        device.wait(device.submit(commands));
        std::memcpy(result.data() + at, staging->mapped(), size);
        at += size;
    }
    return result;
}

std::string device_key(const Device& device, const Order& order) {
    std::string key = std::string(device_key_prefix) + std::to_string(device.id());
    for (const int axis : order) key += ":" + std::to_string(axis);
    return key;
}

StorageRef device_storage(const std::shared_ptr<Device>& device, BufferRef buffer, const Spec& spec, Order order) {
    auto storage = std::make_shared<Storage>();
    storage->spec = spec;
    storage->order = std::move(order);
    if (buffer->mapped()) {
        storage->host = {buffer->mapped(), storage->bytes()};
        storage->owner = buffer;
    }
    auto copy = std::make_shared<DeviceCopy>();
    copy->device = device;
    copy->buffer = std::move(buffer);
    copy->order = storage->order;
    storage->derived[device_key(*device, storage->order)] = std::move(copy);
    return storage;
}

std::span<const std::byte> host_bytes(const StorageRef& storage) {
    const std::lock_guard lock(storage->mutex);
    if (storage->owner || storage->bytes() == 0) return storage->host;
    for (const auto& [key, made] : storage->derived) {
        if (!key.starts_with(device_key_prefix)) continue;
        const auto copy = std::static_pointer_cast<DeviceCopy>(made);
        const std::shared_ptr<Device> device = copy->device.lock();
        if (copy->order != storage->order || !device || device->lost()) continue;
        const Span span("io", "read back", to_string(storage->spec));
        auto bytes = std::make_shared<std::vector<std::byte>>(download(*device, *copy->buffer, 0, storage->bytes()));
        storage->host = *bytes;
        storage->owner = std::move(bytes);
        return storage->host;
    }
    throw Error(ErrorCode::DeviceLost, "read {}: expected its device to be there, it was lost or closed, and the value with it",
                to_string(storage->spec));
}

}  // namespace gpu
