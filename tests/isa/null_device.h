// A Radeon that is not there: RADV compiles compute pipelines for any of its chips to real machine code and reports what it
// made (VK_KHR_pipeline_executable_properties). Nothing runs.
#pragma once

#include <vulkan/vulkan.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tests {

struct Compiled {
    std::map<std::string, std::uint64_t> statistics;   // "VGPRs", "Spilled VGPRs", "LDS size", "Inverse Throughput", ...
    std::string assembly;
    std::uint64_t statistic(const std::string& name) const;   // 0 where the driver does not tell
};

class NullDevice {
public:
    // family: "navi31". Null where no installed driver makes such a device; `why` then says so.
    static std::unique_ptr<NullDevice> open(const std::string& family, std::string& why);
    ~NullDevice();
    NullDevice(const NullDevice&) = delete;
    NullDevice& operator=(const NullDevice&) = delete;

    const std::string& driver() const { return driver_; }         // "Mesa 25.0.7"
    bool cooperative_matrix() const { return cooperative_matrix_; }

    // subgroup_size 0: as the driver likes. Throws gpu::Error where the driver refuses.
    Compiled compile(const std::vector<std::uint32_t>& words, const std::vector<std::uint32_t>& constants,
                     std::uint32_t push_bytes, std::uint32_t subgroup_size) const;

private:
    NullDevice() = default;
    bool create(const std::string& family, std::string& why);

    VkInstance instance_ = VK_NULL_HANDLE;
    VkDevice device_ = VK_NULL_HANDLE;
    std::string driver_;
    bool cooperative_matrix_ = false;
};

}  // namespace tests
