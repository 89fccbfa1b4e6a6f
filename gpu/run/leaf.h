// Moves the bytes of tensors between host and device, and keeps what was made from a leaf with the leaf.
#pragma once

#include <cstddef>
#include <span>

#include "gpu/graph/storage.h"
#include "gpu/vulkan/device.h"

namespace gpu {

// Copies the elements of a tensor that lies densely in `from` so that they lie densely in `to`.
void reorder(std::span<const std::byte> source, std::span<std::byte> target, const Spec& spec, const Order& from, const Order& to);

// The storage's bytes on the device, in `order` (empty: as they lie). Made once, kept with the storage.
BufferRef device_copy(Device& device, const StorageRef& storage, const Order& order);

// A new storage over a device buffer that holds `spec` in `order`. Host-readable at once where the buffer is mapped.
StorageRef device_storage(Device& device, BufferRef buffer, const Spec& spec, Order order);

// Bytes that the host can read, as they lie: the mapped buffer, or a copy fetched from the device and kept.
std::span<const std::byte> host_bytes(const StorageRef& storage);

}  // namespace gpu
