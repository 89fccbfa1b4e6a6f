// Moves the bytes of tensors between host and device.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gpu/graph/storage.h"
#include "gpu/vulkan/device.h"

namespace gpu {

// What Storage::derived holds under a device_key(): the storage's bytes on a device.
struct DeviceCopy {
    std::weak_ptr<Device> device;
    BufferRef buffer;
    Order order;
    std::atomic<std::uint64_t> used = 0;   // by the clock of the device's Residency
};

// What Storage::derived holds under any other key: what a host kernel made of a weight, such as its packed copy.
struct HostMade {
    std::uint64_t bytes = 0;      // that it takes
    virtual ~HostMade() = default;
};

// Keys of device copies begin with this; whatever else Storage::derived has was made by host kernels.
inline constexpr std::string_view device_key_prefix = "device:";
std::string device_key(const Device& device, const Order& order);

// Copies the elements of a tensor that lies densely in `from` so that they lie densely in `to`.
void reorder(std::span<const std::byte> source, std::span<std::byte> target, const Spec& spec, const Order& from, const Order& to);

// Writes host bytes into a buffer. Later submissions see them; where staging is needed the copy runs in pieces, and the
// host is free again when the last of them is submitted.
void upload(Device& device, const BufferRef& buffer, std::span<const std::byte> bytes);

// Waits for the device and reads a range of a buffer.
std::vector<std::byte> download(Device& device, const Buffer& buffer, std::size_t offset, std::size_t bytes);

// A new storage over a device buffer that holds `spec` in `order`. Host-readable at once where the buffer is mapped.
StorageRef device_storage(const std::shared_ptr<Device>& device, BufferRef buffer, const Spec& spec, Order order);

// Bytes that the host can read, as they lie: the mapped buffer, or a copy fetched from the device and kept. Throws
// Error{DeviceLost} when the only copy went with its device.
std::span<const std::byte> host_bytes(const StorageRef& storage);

}  // namespace gpu
