// The bytes behind a tensor that has a value: dense, in some order of its dimensions, on the host, a device or both.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "gpu/graph/dtype.h"
#include "gpu/graph/shape.h"

namespace gpu {

struct Spec {
    Shape shape;
    Dtype dtype = Dtype::F32;

    friend bool operator==(const Spec&, const Spec&) = default;
};

using Specs = std::vector<Spec>;

std::string to_string(const Spec& spec);   // "F32 [1, 3, 8, 8]"

// Logical dimensions in memory order, outermost first. {0, 1, 2, 3} is row-major NCHW, {0, 2, 3, 1} channels last.
using Order = std::vector<int>;

Order row_major(std::size_t rank);
Order channels_last(std::size_t rank);
// Elements between neighbours of each logical dimension when `shape` lies densely in `order`.
Shape dense_strides(const Shape& shape, const Order& order);

struct Storage {
    Spec spec;
    Order order;
    // Readable by the host when not empty; element_count * size_of(dtype) bytes. May be unaligned (mapped files).
    std::span<const std::byte> host;
    // Keeps `host` alive: a vector, a mapped file, a mapped device buffer.
    std::shared_ptr<const void> owner;

    // What the runtime made from these bytes and keeps as long as they live: a device copy, another order, a weight
    // packed for a host kernel. Guarded by `mutex`.
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<void>> derived;

    std::size_t bytes() const { return static_cast<std::size_t>(element_count(spec.shape)) * size_of(spec.dtype); }
};

using StorageRef = std::shared_ptr<Storage>;

}  // namespace gpu
