// What a device is and can do, read once when it is listed or opened.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gpu {

enum class DeviceType { Cpu, Integrated, Discrete, Virtual, Other };

const char* to_string(DeviceType type);

struct Caps {
    int index = 0;                       // position in list_devices()
    std::string name;                    // "llvmpipe (LLVM 15.0.6, 256 bits)"
    std::string driver;                  // "llvmpipe Mesa 22.3.6 (LLVM 15.0.6)"
    std::string api_version;             // "1.3.230"
    std::string uuid;                    // deviceUUID, 32 hex digits
    std::string pci;                     // "0000:65:00.0", empty where the device has none
    DeviceType type = DeviceType::Other; // Discrete under HEDDLE_DISCRETE
    bool software = false;               // runs on the host's processor, whatever `type` says
    std::uint32_t vendor_id = 0;
    std::uint32_t device_id = 0;
    std::uint32_t driver_version = 0;
    std::uint64_t memory_bytes = 0;      // largest device-local heap; the machine's memory on CPU-type devices
    bool memory_budget = false;          // the driver tells what it grants at the moment (VK_EXT_memory_budget)
    std::uint64_t max_buffer_bytes = ~0ull;  // largest single buffer
    bool unified_memory = false;         // every buffer is host-visible at full speed: host kernels may work in place
    bool buffer_device_address = false;  // required
    bool timeline_semaphore = false;     // required
    bool scalar_block_layout = false;    // required
    bool int64 = false;                  // 64-bit integers in shaders
    bool float16 = false;                // f16 arithmetic
    bool storage16 = false;              // f16 in buffers
    bool storage8 = false;               // u8 in buffers
    std::uint32_t subgroup_size = 1;
    bool subgroup_size_control = false;  // pipelines may ask for any size from min_ to max_ and for full subgroups
    std::uint32_t min_subgroup_size = 1;
    std::uint32_t max_subgroup_size = 1;
    bool subgroup_shuffle = false;       // in compute shaders
    bool cooperative_matrix = false;     // VK_KHR_cooperative_matrix with 16 x 16 x 16, f16 in, f32 sums, by subgroup
    std::uint32_t max_push_bytes = 128;
    std::uint32_t max_workgroup_invocations = 128;
    std::uint32_t max_shared_bytes = 16384;
    std::uint32_t max_groups_x = 65535;
    std::uint32_t max_groups_y = 65535;
    std::uint32_t max_groups_z = 65535;
    bool has_compute_queue = true;       // required
    float timestamp_period_ns = 0;       // 0: the queue has no timestamps

    // Empty when Heddle can run on it, else what is missing: "bufferDeviceAddress".
    std::string missing() const;
    // Whether a pipeline can have subgroups of exactly this size, all of them full.
    bool has_subgroup_size(std::uint32_t size) const;
    // Identity for caches: device, driver and version. A mismatch is a cache miss.
    std::string identity() const;
};

// Every Vulkan device of this machine, in the driver's order. Empty when there is no loader or no driver.
std::vector<Caps> list_devices();

}  // namespace gpu
