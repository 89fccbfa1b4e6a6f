// The Vulkan instance of the process, created on first use. Private to gpu/vulkan.
#pragma once

#include <vulkan/vulkan.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace gpu {

class Instance {
public:
    // The instance for the present HEDDLE_VALIDATION switches, or null where there is no driver. It lives until the
    // process ends: drivers dislike being unloaded while handles of other static objects still exist.
    static Instance* get();

    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    VkInstance handle() const { return instance_; }
    const std::vector<VkPhysicalDevice>& physical_devices() const { return physical_devices_; }
    int validation_messages() const { return messages_; }
    bool validates_synchronisation() const { return validates_synchronisation_; }
    // False where validation is on and its layer is from before this version of Vulkan's specification: it calls extensions that came
    // with it unknown, and their SPIR-V invalid.
    bool layer_knows(std::uint32_t version) const { return layer_version_ == 0 || layer_version_ >= version; }

    // Null without validation.
    PFN_vkCmdBeginDebugUtilsLabelEXT begin_label = nullptr;
    PFN_vkCmdEndDebugUtilsLabelEXT end_label = nullptr;

private:
    Instance() = default;
    bool create(bool validation, bool synchronisation);
    void attach_messenger();
    static VkBool32 on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT type,
                               const VkDebugUtilsMessengerCallbackDataEXT* data, void* self);

    VkInstance instance_ = VK_NULL_HANDLE;
    std::vector<VkPhysicalDevice> physical_devices_;
    std::uint32_t layer_version_ = 0;   // of the specification that the validation layer was made for; 0: validation is off
    bool validates_synchronisation_ = false;
    std::atomic<int> messages_ = 0;
};

// "VK_ERROR_DEVICE_LOST", or the number of a code that has no name here.
std::string result_name(VkResult result);

// Throws Error{Failure} (OutOfMemory, DeviceLost where the code says so) unless `result` is a success.
void expect_success(VkResult result, const char* operation);

}  // namespace gpu
