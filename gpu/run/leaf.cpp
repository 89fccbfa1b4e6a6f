#include "gpu/run/leaf.h"

#include <algorithm>
#include <cstring>

#include "gpu/base/span.h"

namespace gpu {
namespace {

struct DeviceCopy {
    Device* device = nullptr;
    BufferRef buffer;
};

std::string key_of(const Order& order) {
    std::string key = "device";
    for (const int axis : order) key += ":" + std::to_string(axis);
    return key;
}

// Innermost loop of reorder: `count` elements of `size` bytes, the source `stride` bytes apart.
template <typename T>
void gather(const std::byte* source, std::byte* target, std::int64_t count, std::int64_t stride) {
    for (std::int64_t i = 0; i < count; ++i) std::memcpy(target + i * static_cast<std::int64_t>(sizeof(T)), source + i * stride, sizeof(T));
}

void upload(Device& device, const BufferRef& buffer, std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    if (buffer->mapped()) {
        std::memcpy(buffer->mapped(), bytes.data(), bytes.size());
        return;
    }
    const BufferRef staging = device.allocate(bytes.size(), Domain::Upload);
    std::memcpy(staging->mapped(), bytes.data(), bytes.size());
    const CommandsRef commands = device.record();
    commands->copy(*staging, 0, *buffer, 0, bytes.size());
    commands->end();
    device.wait(device.submit(commands));
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

BufferRef device_copy(Device& device, const StorageRef& storage, const Order& order) {
    const Order& wanted = order.empty() ? storage->order : order;
    const std::string key = key_of(wanted);
    {
        const std::lock_guard lock(storage->mutex);
        if (const auto found = storage->derived.find(key); found != storage->derived.end()) {
            const auto& copy = *std::static_pointer_cast<DeviceCopy>(found->second);
            if (copy.device == &device) return copy.buffer;
        }
    }
    const Span span("io", "upload", to_string(storage->spec));
    const std::span<const std::byte> bytes = host_bytes(storage);
    BufferRef buffer = device.allocate(std::max<std::size_t>(bytes.size(), 4));
    if (wanted == storage->order) {
        upload(device, buffer, bytes);
    } else if (buffer->mapped()) {
        reorder(bytes, {buffer->mapped(), bytes.size()}, storage->spec, storage->order, wanted);
    } else {
        std::vector<std::byte> reordered(bytes.size());
        reorder(bytes, reordered, storage->spec, storage->order, wanted);
        upload(device, buffer, reordered);
    }
    const std::lock_guard lock(storage->mutex);
    storage->derived[key] = std::make_shared<DeviceCopy>(DeviceCopy{&device, buffer});
    return buffer;
}

StorageRef device_storage(Device& device, BufferRef buffer, const Spec& spec, Order order) {
    auto storage = std::make_shared<Storage>();
    storage->spec = spec;
    storage->order = std::move(order);
    if (buffer->mapped()) {
        storage->host = {buffer->mapped(), storage->bytes()};
        storage->owner = buffer;
    }
    storage->derived[key_of(storage->order)] = std::make_shared<DeviceCopy>(DeviceCopy{&device, std::move(buffer)});
    return storage;
}

std::span<const std::byte> host_bytes(const StorageRef& storage) {
    const std::lock_guard lock(storage->mutex);
    if (storage->owner || storage->bytes() == 0) return storage->host;
    const auto& copy = *std::static_pointer_cast<DeviceCopy>(storage->derived.at(key_of(storage->order)));
    const BufferRef readback = copy.device->allocate(storage->bytes(), Domain::Readback);
    const CommandsRef commands = copy.device->record();
    commands->copy(*copy.buffer, 0, *readback, 0, storage->bytes());
    commands->end();
    copy.device->wait(copy.device->submit(commands));
    storage->host = {readback->mapped(), storage->bytes()};
    storage->owner = readback;
    return storage->host;
}

}  // namespace gpu
