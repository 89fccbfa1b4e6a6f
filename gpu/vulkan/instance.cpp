#include "gpu/vulkan/instance.h"

#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/span.h"
#include "gpu/base/switches.h"

namespace gpu {
namespace {

constexpr const char* validation_layer = "VK_LAYER_KHRONOS_validation";

// The specification's that it was made for; 0 where it is not installed.
std::uint32_t validation_layer_version() {
    std::uint32_t count = 0;
    if (vkEnumerateInstanceLayerProperties(&count, nullptr) != VK_SUCCESS) return 0;
    std::vector<VkLayerProperties> layers(count);
    vkEnumerateInstanceLayerProperties(&count, layers.data());
    for (const VkLayerProperties& layer : layers)
        if (std::strcmp(layer.layerName, validation_layer) == 0) return layer.specVersion;
    return 0;
}

bool layer_has_extension(const char* layer, const char* name) {
    std::uint32_t count = 0;
    if (vkEnumerateInstanceExtensionProperties(layer, &count, nullptr) != VK_SUCCESS) return false;
    std::vector<VkExtensionProperties> extensions(count);
    vkEnumerateInstanceExtensionProperties(layer, &count, extensions.data());
    for (const VkExtensionProperties& extension : extensions)
        if (std::strcmp(extension.extensionName, name) == 0) return true;
    return false;
}

}  // namespace

Instance* Instance::get() {
    static std::mutex mutex;
    // Never destroyed: see the header.
    static auto& instances = *std::make_unique<std::map<std::pair<bool, bool>, std::unique_ptr<Instance>>>().release();

    const bool synchronisation = switches().sync_validation || switches().checks("sync");
    const bool validation = switches().validation || synchronisation;
    const std::lock_guard lock(mutex);
    auto [at, fresh] = instances.try_emplace({validation, synchronisation});
    if (fresh) {
        const Span span("vulkan", "create instance");
        std::unique_ptr<Instance> made(new Instance);
        if (made->create(validation, synchronisation)) at->second = std::move(made);
    }
    return at->second.get();
}

bool Instance::create(bool validation, bool synchronisation) {
    const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                        .pApplicationName = "heddle",
                                        .pEngineName = "heddle",
                                        .apiVersion = VK_API_VERSION_1_2};
    VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application};

    std::vector<const char*> extensions;
    const VkValidationFeatureEnableEXT enabled[] = {VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    VkValidationFeaturesEXT features{.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
                                     .enabledValidationFeatureCount = 1,
                                     .pEnabledValidationFeatures = enabled};
    if (validation) layer_version_ = validation_layer_version();
    if (validation && layer_version_ == 0) {
        log("vulkan", LogLevel::Warning, "validation was asked for, but {} is not installed", validation_layer);
        validation = false;
    }
    if (validation) {
        info.enabledLayerCount = 1;
        info.ppEnabledLayerNames = &validation_layer;
        extensions.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
        if (synchronisation && layer_has_extension(validation_layer, VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME)) {
            extensions.push_back(VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME);
            info.pNext = &features;
            validates_synchronisation_ = true;
        } else if (synchronisation) {
            log("vulkan", LogLevel::Warning, "the validation layer has no synchronisation validation");
        }
    }
    info.enabledExtensionCount = static_cast<std::uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();

    if (const VkResult result = vkCreateInstance(&info, nullptr, &instance_); result != VK_SUCCESS) {
        log("vulkan", LogLevel::Info, "no Vulkan instance: {}", result_name(result));
        return false;
    }
    if (validation) attach_messenger();

    std::uint32_t count = 0;
    if (vkEnumeratePhysicalDevices(instance_, &count, nullptr) != VK_SUCCESS) return true;
    physical_devices_.resize(count);
    if (vkEnumeratePhysicalDevices(instance_, &count, physical_devices_.data()) < 0) count = 0;
    physical_devices_.resize(count);
    return true;
}

void Instance::attach_messenger() {
    const VkDebugUtilsMessengerCreateInfoEXT info{
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .messageSeverity =
            VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
        .pfnUserCallback = on_message,
        .pUserData = this};
    const auto create = reinterpret_cast<PFN_vkCreateDebugUtilsMessengerEXT>(
        vkGetInstanceProcAddr(instance_, "vkCreateDebugUtilsMessengerEXT"));
    VkDebugUtilsMessengerEXT messenger = VK_NULL_HANDLE;
    if (create) create(instance_, &info, nullptr, &messenger);
    begin_label = reinterpret_cast<PFN_vkCmdBeginDebugUtilsLabelEXT>(
        vkGetInstanceProcAddr(instance_, "vkCmdBeginDebugUtilsLabelEXT"));
    end_label = reinterpret_cast<PFN_vkCmdEndDebugUtilsLabelEXT>(
        vkGetInstanceProcAddr(instance_, "vkCmdEndDebugUtilsLabelEXT"));
}

VkBool32 Instance::on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT,
                              const VkDebugUtilsMessengerCallbackDataEXT* data, void* self) {
    static_cast<Instance*>(self)->messages_ += 1;
    const bool error = severity >= VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
    log("vulkan", error ? LogLevel::Error : LogLevel::Warning, "validation: {}", data->pMessage);
    return VK_FALSE;
}

std::string result_name(VkResult result) {
    switch (result) {
        case VK_SUCCESS: return "VK_SUCCESS";
        case VK_TIMEOUT: return "VK_TIMEOUT";
        case VK_NOT_READY: return "VK_NOT_READY";
        case VK_ERROR_OUT_OF_HOST_MEMORY: return "VK_ERROR_OUT_OF_HOST_MEMORY";
        case VK_ERROR_OUT_OF_DEVICE_MEMORY: return "VK_ERROR_OUT_OF_DEVICE_MEMORY";
        case VK_ERROR_INITIALIZATION_FAILED: return "VK_ERROR_INITIALIZATION_FAILED";
        case VK_ERROR_DEVICE_LOST: return "VK_ERROR_DEVICE_LOST";
        case VK_ERROR_MEMORY_MAP_FAILED: return "VK_ERROR_MEMORY_MAP_FAILED";
        case VK_ERROR_LAYER_NOT_PRESENT: return "VK_ERROR_LAYER_NOT_PRESENT";
        case VK_ERROR_EXTENSION_NOT_PRESENT: return "VK_ERROR_EXTENSION_NOT_PRESENT";
        case VK_ERROR_FEATURE_NOT_PRESENT: return "VK_ERROR_FEATURE_NOT_PRESENT";
        case VK_ERROR_INCOMPATIBLE_DRIVER: return "VK_ERROR_INCOMPATIBLE_DRIVER";
        case VK_ERROR_TOO_MANY_OBJECTS: return "VK_ERROR_TOO_MANY_OBJECTS";
        default: return "VkResult " + std::to_string(static_cast<int>(result));
    }
}

void expect_success(VkResult result, const char* operation) {
    if (result >= 0) return;
    const bool memory = result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY;
    const ErrorCode code = memory                           ? ErrorCode::OutOfMemory
                           : result == VK_ERROR_DEVICE_LOST ? ErrorCode::DeviceLost
                                                            : ErrorCode::Failure;
    throw Error(code, "{}: expected success, got {}", operation, result_name(result));
}

}  // namespace gpu
