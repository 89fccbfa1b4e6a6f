// A piece of device memory with an address. Handles are shared; the memory is freed when the last handle is gone and
// the device has finished every submission made until then (deferred destruction by timeline value). A handle that
// outlives its Device is safe to drop, but its memory is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace gpu {

struct DeviceCore;
struct MemoryBlock;

enum class Domain {
    Device,     // fastest for shaders; host-visible too where the device has unified memory
    Upload,     // host-visible, written by the host, read by shaders or copies
    Readback,   // host-visible and cached, read by the host
};

class Buffer {
public:
    ~Buffer();
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    std::size_t size() const { return size_; }           // bytes, as asked for
    std::uint64_t address() const { return address_; }   // for shaders
    std::byte* mapped() const { return mapped_; }        // null where the host can't see it
    Domain domain() const { return domain_; }

private:
    friend struct DeviceCore;
    friend class Commands;
    Buffer() = default;

    std::shared_ptr<DeviceCore> core_;
    MemoryBlock* block_ = nullptr;
    std::uint64_t offset_ = 0;     // in the block
    std::uint64_t reserved_ = 0;   // bytes of the block
    std::size_t size_ = 0;
    std::uint64_t address_ = 0;
    std::byte* mapped_ = nullptr;
    Domain domain_ = Domain::Device;
};

using BufferRef = std::shared_ptr<Buffer>;

}  // namespace gpu
