#include "tests/isa/null_device.h"

#include <QtGlobal>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "gpu/base/error.h"
#include "gpu/vulkan/cooperative_matrix.h"

namespace tests {
namespace {

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
    return text;
}

// RADV reads RADV_FORCE_FAMILY when an instance lists its devices.
VkPhysicalDevice find(VkInstance instance, const std::string& family) {
    std::uint32_t count = 0;
    if (vkEnumeratePhysicalDevices(instance, &count, nullptr) != VK_SUCCESS) return VK_NULL_HANDLE;
    std::vector<VkPhysicalDevice> list(count);
    if (vkEnumeratePhysicalDevices(instance, &count, list.data()) < 0) return VK_NULL_HANDLE;
    for (const VkPhysicalDevice physical : list) {
        VkPhysicalDeviceProperties properties;
        vkGetPhysicalDeviceProperties(physical, &properties);
        const std::string name = upper(properties.deviceName);
        if (name.find(upper(family)) != std::string::npos && name.find("RADV") != std::string::npos) return physical;
    }
    return VK_NULL_HANDLE;
}

bool has_extension(VkPhysicalDevice physical, const char* name) {
    std::uint32_t count = 0;
    vkEnumerateDeviceExtensionProperties(physical, nullptr, &count, nullptr);
    std::vector<VkExtensionProperties> extensions(count);
    vkEnumerateDeviceExtensionProperties(physical, nullptr, &count, extensions.data());
    return std::any_of(extensions.begin(), extensions.end(), [&](const auto& e) { return std::strcmp(e.extensionName, name) == 0; });
}

VkInstance create_instance() {
    const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .apiVersion = VK_API_VERSION_1_2};
    const VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application};
    VkInstance instance = VK_NULL_HANDLE;
    return vkCreateInstance(&info, nullptr, &instance) == VK_SUCCESS ? instance : VK_NULL_HANDLE;
}

// Some versions end the process over a name that they don't know: another one asks.
bool driver_knows(const std::string& name) {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        const VkInstance instance = create_instance();
        _exit(instance && find(instance, name) ? 0 : 1);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

std::uint64_t Compiled::statistic(const std::string& name) const {
    const auto found = statistics.find(name);
    return found == statistics.end() ? 0 : found->second;
}

std::unique_ptr<NullDevice> NullDevice::open(const std::string& family, std::string& why) {
    std::unique_ptr<NullDevice> device(new NullDevice);
    return device->create(family, why) ? std::move(device) : nullptr;
}

bool NullDevice::create(const std::string& family, std::string& why) {
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    // Mesa 22.3 knows RDNA 3 by the name of its instruction set only.
    for (const std::string& name : family == "navi31" ? std::vector<std::string>{family, "gfx1100"} : std::vector<std::string>{family}) {
        qputenv("RADV_FORCE_FAMILY", name.c_str());   // under the lock that QtTest's watchdog reads its variables with
        if (!driver_knows(name)) continue;
        instance_ = create_instance();
        if (instance_) physical = find(instance_, name);
        break;
    }
    qunsetenv("RADV_FORCE_FAMILY");
    if (!physical) return why = "no installed Vulkan driver makes a null device for " + family + " (Mesa's radeon driver does)", false;

    if (!has_extension(physical, VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME))
        return why = "the driver reports no statistics of pipelines", false;
    cooperative_matrix_ = has_extension(physical, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME);
    VkPhysicalDeviceVulkan12Properties v12{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES};
    VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &v12};
    vkGetPhysicalDeviceProperties2(physical, &properties);
    driver_ = v12.driverInfo;
    driver_ = driver_.substr(0, driver_.find_first_of("-("));   // without the distribution's revision
    while (!driver_.empty() && driver_.back() == ' ') driver_.pop_back();

    VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR,
                                                        .cooperativeMatrix = VK_TRUE};
    VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executable{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR,
        .pNext = cooperative_matrix_ ? &matrix : nullptr,
        .pipelineExecutableInfo = VK_TRUE};
    VkPhysicalDeviceSubgroupSizeControlFeaturesEXT control{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT,
                                                           .pNext = &executable,
                                                           .subgroupSizeControl = VK_TRUE,
                                                           .computeFullSubgroups = VK_TRUE};
    VkPhysicalDeviceVulkan12Features has12{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
    VkPhysicalDeviceVulkan11Features has11{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &has12};
    VkPhysicalDeviceFeatures2 features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &has11};
    vkGetPhysicalDeviceFeatures2(physical, &features);
    has12.pNext = &control;
    std::vector<const char*> extensions{VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME,
                                        VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME};
    if (cooperative_matrix_) extensions.push_back(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME);
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1, .pQueuePriorities = &priority};
    const VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                  .pNext = &features,
                                  .queueCreateInfoCount = 1,
                                  .pQueueCreateInfos = &queue,
                                  .enabledExtensionCount = static_cast<std::uint32_t>(extensions.size()),
                                  .ppEnabledExtensionNames = extensions.data()};
    if (vkCreateDevice(physical, &info, nullptr, &device_) == VK_SUCCESS) return true;
    return why = "the null device could not be opened", false;
}

NullDevice::~NullDevice() {
    if (device_) vkDestroyDevice(device_, nullptr);
    if (instance_) vkDestroyInstance(instance_, nullptr);
}

Compiled NullDevice::compile(const std::vector<std::uint32_t>& words, const std::vector<std::uint32_t>& constants,
                             std::uint32_t push_bytes, std::uint32_t subgroup_size) const {
    const VkShaderModuleCreateInfo module_info{.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                               .codeSize = words.size() * 4,
                                               .pCode = words.data()};
    const VkPushConstantRange range{.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = push_bytes};
    const VkPipelineLayoutCreateInfo layout_info{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                                 .pushConstantRangeCount = push_bytes > 0 ? 1u : 0u,
                                                 .pPushConstantRanges = &range};
    std::vector<VkSpecializationMapEntry> entries;
    for (std::uint32_t i = 0; i < constants.size(); ++i) entries.push_back({i, i * 4, 4});
    const VkSpecializationInfo special{static_cast<std::uint32_t>(entries.size()), entries.data(), constants.size() * 4, constants.data()};
    const VkPipelineShaderStageRequiredSubgroupSizeCreateInfoEXT sized{
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO_EXT, .requiredSubgroupSize = subgroup_size};
    VkShaderModule module = VK_NULL_HANDLE;
    VkPipelineLayout layout = VK_NULL_HANDLE;
    VkPipeline pipeline = VK_NULL_HANDLE;
    vkCreateShaderModule(device_, &module_info, nullptr, &module);
    vkCreatePipelineLayout(device_, &layout_info, nullptr, &layout);
    const VkComputePipelineCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .flags = VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR | VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .pNext = subgroup_size ? &sized : nullptr,
                  .flags = subgroup_size ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT_EXT : 0u,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main",
                  .pSpecializationInfo = entries.empty() ? nullptr : &special},
        .layout = layout};
    const VkResult result = vkCreateComputePipelines(device_, VK_NULL_HANDLE, 1, &info, nullptr, &pipeline);
    Compiled compiled;
    if (result == VK_SUCCESS) {
        const auto load = [&](const char* name) { return vkGetDeviceProcAddr(device_, name); };
        const auto statistics = reinterpret_cast<PFN_vkGetPipelineExecutableStatisticsKHR>(load("vkGetPipelineExecutableStatisticsKHR"));
        const auto texts = reinterpret_cast<PFN_vkGetPipelineExecutableInternalRepresentationsKHR>(load("vkGetPipelineExecutableInternalRepresentationsKHR"));
        const VkPipelineExecutableInfoKHR executable{.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR, .pipeline = pipeline};
        std::uint32_t count = 0;
        statistics(device_, &executable, &count, nullptr);
        std::vector<VkPipelineExecutableStatisticKHR> values(count, {.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR});
        statistics(device_, &executable, &count, values.data());
        for (const auto& value : values) compiled.statistics[value.name] = value.value.u64;
        texts(device_, &executable, &count, nullptr);
        std::vector<VkPipelineExecutableInternalRepresentationKHR> forms(count, {.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INTERNAL_REPRESENTATION_KHR});
        texts(device_, &executable, &count, forms.data());
        std::vector<std::vector<char>> buffers;
        for (auto& form : forms) {
            buffers.emplace_back(form.dataSize + 1, '\0');
            form.pData = buffers.back().data();
        }
        texts(device_, &executable, &count, forms.data());
        for (const auto& form : forms)
            if (form.isText && std::strstr(form.name, "ssembly")) compiled.assembly = static_cast<const char*>(form.pData);
    }
    vkDestroyPipeline(device_, pipeline, nullptr);
    vkDestroyPipelineLayout(device_, layout, nullptr);
    vkDestroyShaderModule(device_, module, nullptr);
    gpu::check(result == VK_SUCCESS, gpu::ErrorCode::Failure, "compile for the null device: expected success, got VkResult {}", static_cast<int>(result));
    return compiled;
}

}  // namespace tests
