#include "gpu/vulkan/caps.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "gpu/base/format.h"
#include "gpu/base/log.h"
#include "gpu/base/switches.h"
#include "gpu/vulkan/cooperative_matrix.h"
#include "gpu/vulkan/instance.h"
#include "gpu/vulkan/physical.h"
#include "gpu/vulkan/quirks.h"

namespace gpu {
namespace {

DeviceType device_type(VkPhysicalDeviceType type) {
    switch (type) {
        case VK_PHYSICAL_DEVICE_TYPE_CPU: return DeviceType::Cpu;
        case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: return DeviceType::Integrated;
        case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: return DeviceType::Discrete;
        case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: return DeviceType::Virtual;
        default: return DeviceType::Other;
    }
}

std::string hex_bytes(const std::uint8_t* bytes, int count) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (int i = 0; i < count; ++i) {
        text += digits[bytes[i] >> 4];
        text += digits[bytes[i] & 15];
    }
    return text;
}

// The machine's memory, or this process's share of it where a control group sets one.
std::uint64_t host_memory_bytes() {
    std::uint64_t bytes =
        static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
    for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
        std::ifstream file(path);
        if (std::uint64_t limit = 0; file >> limit && limit > 0) bytes = std::min(bytes, limit);
    }
    return bytes;
}

bool layer_knows_matrices() {
    const bool known = Instance::get()->layer_knows(cooperative_matrix_version);
    static std::atomic<bool> told = false;
    if (!known && !told.exchange(true))
        log("vulkan", LogLevel::Info, "cooperative matrices are left alone: the validation layer is from before them (1.3.255)");
    return known;
}

// f16 matrices of 16 x 16 with f32 sums, the shape that every driver with cooperative matrices offers.
bool has_matrix_shape(VkPhysicalDevice physical) {
    const auto list = reinterpret_cast<PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR>(
        vkGetInstanceProcAddr(Instance::get()->handle(), "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR"));
    std::uint32_t count = 0;
    if (!list || list(physical, &count, nullptr) != VK_SUCCESS) return false;
    std::vector<VkCooperativeMatrixPropertiesKHR> shapes(
        count, {.sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR});
    if (list(physical, &count, shapes.data()) < 0) return false;
    return std::any_of(shapes.begin(), shapes.begin() + count, [](const VkCooperativeMatrixPropertiesKHR& shape) {
        return shape.MSize == 16 && shape.NSize == 16 && shape.KSize == 16 && shape.scope == VK_SCOPE_SUBGROUP_KHR &&
               shape.AType == VK_COMPONENT_TYPE_FLOAT16_KHR && shape.BType == VK_COMPONENT_TYPE_FLOAT16_KHR &&
               shape.CType == VK_COMPONENT_TYPE_FLOAT32_KHR && shape.ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR;
    });
}

void read_memory(VkPhysicalDevice physical, Caps& caps) {
    VkPhysicalDeviceMemoryProperties memory;
    vkGetPhysicalDeviceMemoryProperties(physical, &memory);
    bool all_local = true;
    for (std::uint32_t i = 0; i < memory.memoryHeapCount; ++i) {
        const bool local = memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT;
        all_local = all_local && local;
        if (local) caps.memory_bytes = std::max<std::uint64_t>(caps.memory_bytes, memory.memoryHeaps[i].size);
    }
    caps.max_buffer_bytes = std::min(caps.max_buffer_bytes, caps.memory_bytes);
    if (quirks_of(caps).heap_is_host_memory) caps.memory_bytes = host_memory_bytes();
    const bool one_heap = memory.memoryHeapCount == 1 && all_local;
    for (std::uint32_t i = 0; i < memory.memoryTypeCount; ++i)
        if ((memory.memoryTypes[i].propertyFlags & unified_memory_flags) == unified_memory_flags)
            caps.unified_memory = (one_heap || caps.software) && !switches().discrete;
}

void read_features(VkPhysicalDevice physical, Caps& caps) {
    VkPhysicalDeviceVulkan12Features v12{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
    VkPhysicalDeviceVulkan11Features v11{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &v12};
    VkPhysicalDeviceFeatures2 features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &v11};
    vkGetPhysicalDeviceFeatures2(physical, &features);
    caps.buffer_device_address = v12.bufferDeviceAddress;
    caps.timeline_semaphore = v12.timelineSemaphore;
    caps.scalar_block_layout = v12.scalarBlockLayout;
    caps.int64 = features.features.shaderInt64;
    caps.float16 = v12.shaderFloat16;
    caps.storage16 = v11.storageBuffer16BitAccess;
    caps.storage8 = v12.storageBuffer8BitAccess;
}

void read_subgroups(VkPhysicalDevice physical, Caps& caps) {
    VkPhysicalDeviceSubgroupProperties subgroups{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
    VkPhysicalDeviceSubgroupSizeControlPropertiesEXT sizes{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES_EXT};
    VkPhysicalDeviceSubgroupSizeControlFeaturesEXT control{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT};
    VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR};
    const bool has_control = has_extension(physical, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
    const bool has_matrix = has_extension(physical, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME) && layer_knows_matrices();
    if (has_control) subgroups.pNext = &sizes;
    if (has_matrix) control.pNext = &matrix;
    VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &subgroups};
    vkGetPhysicalDeviceProperties2(physical, &properties);
    VkPhysicalDeviceFeatures2 features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                       .pNext = has_control ? static_cast<void*>(&control) : has_matrix ? &matrix : nullptr};
    vkGetPhysicalDeviceFeatures2(physical, &features);
    caps.subgroup_shuffle = (subgroups.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) &&
                            (subgroups.supportedOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT);
    caps.subgroup_size_control = has_control && control.subgroupSizeControl && control.computeFullSubgroups &&
                                 (sizes.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT);
    caps.min_subgroup_size = has_control ? sizes.minSubgroupSize : caps.subgroup_size;
    caps.max_subgroup_size = has_control ? sizes.maxSubgroupSize : caps.subgroup_size;
    caps.cooperative_matrix = has_matrix && matrix.cooperativeMatrix && caps.float16 && has_matrix_shape(physical);
}

void read_properties(VkPhysicalDevice physical, Caps& caps) {
    const bool has_pci = has_extension(physical, VK_EXT_PCI_BUS_INFO_EXTENSION_NAME);
    VkPhysicalDevicePCIBusInfoPropertiesEXT pci{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT};
    VkPhysicalDeviceVulkan12Properties v12{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES,
                                           .pNext = has_pci ? &pci : nullptr};
    VkPhysicalDeviceVulkan11Properties v11{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES,
                                           .pNext = &v12};
    VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &v11};
    vkGetPhysicalDeviceProperties2(physical, &properties);
    caps.driver = format("{} {}", v12.driverName, v12.driverInfo);
    caps.uuid = hex_bytes(v11.deviceUUID, VK_UUID_SIZE);
    caps.subgroup_size = v11.subgroupSize;
    caps.max_buffer_bytes = v11.maxMemoryAllocationSize;
    if (has_pci) {
        char text[32];
        std::snprintf(text, sizeof text, "%04x:%02x:%02x.%x", pci.pciDomain, pci.pciBus, pci.pciDevice,
                      pci.pciFunction);
        caps.pci = text;
    }
}

}  // namespace

const char* to_string(DeviceType type) {
    switch (type) {
        case DeviceType::Cpu: return "cpu";
        case DeviceType::Integrated: return "integrated";
        case DeviceType::Discrete: return "discrete";
        case DeviceType::Virtual: return "virtual";
        case DeviceType::Other: return "other";
    }
    return "other";
}

std::string Caps::missing() const {
    std::string text;
    const auto require = [&](bool present, const char* name) {
        if (!present) text += format("{}{}", text.empty() ? "" : ", ", name);
    };
    require(api_version.rfind("1.0", 0) != 0 && api_version.rfind("1.1", 0) != 0, "Vulkan 1.2");
    require(buffer_device_address, "bufferDeviceAddress");
    require(timeline_semaphore, "timelineSemaphore");
    require(scalar_block_layout, "scalarBlockLayout");
    require(has_compute_queue, "compute queue");
    return text;
}

bool Caps::has_subgroup_size(std::uint32_t size) const {
    return subgroup_size_control ? size >= min_subgroup_size && size <= max_subgroup_size
                                 : size == subgroup_size && min_subgroup_size == max_subgroup_size;
}

std::string Caps::identity() const {
    return format("{}:{}:{}:{}:{}:{}", vendor_id, device_id, name, driver, driver_version, uuid);
}

bool has_extension(VkPhysicalDevice physical, const char* name) {
    std::uint32_t count = 0;
    if (vkEnumerateDeviceExtensionProperties(physical, nullptr, &count, nullptr) != VK_SUCCESS) return false;
    std::vector<VkExtensionProperties> extensions(count);
    vkEnumerateDeviceExtensionProperties(physical, nullptr, &count, extensions.data());
    return std::any_of(extensions.begin(), extensions.end(),
                       [&](const VkExtensionProperties& e) { return std::strcmp(e.extensionName, name) == 0; });
}

std::vector<QueueFamily> queue_families(VkPhysicalDevice physical) {
    std::uint32_t count = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, nullptr);
    std::vector<VkQueueFamilyProperties> properties(count);
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, properties.data());
    std::vector<QueueFamily> families;
    for (const VkQueueFamilyProperties& one : properties)
        families.push_back({(one.queueFlags & VK_QUEUE_COMPUTE_BIT) != 0, (one.queueFlags & VK_QUEUE_GRAPHICS_BIT) != 0,
                            (one.queueFlags & VK_QUEUE_TRANSFER_BIT) != 0, one.queueCount, one.timestampValidBits});
    return families;
}

std::uint64_t granted_memory(VkPhysicalDevice physical) {
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties2 memory{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
                                             .pNext = &budget};
    vkGetPhysicalDeviceMemoryProperties2(physical, &memory);
    std::uint64_t largest = 0, granted = 0;
    for (std::uint32_t i = 0; i < memory.memoryProperties.memoryHeapCount; ++i) {
        const VkMemoryHeap& heap = memory.memoryProperties.memoryHeaps[i];
        if (!(heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) || heap.size <= largest) continue;
        largest = heap.size;
        granted = budget.heapBudget[i];
    }
    return granted;
}

Caps read_caps(VkPhysicalDevice physical, int index) {
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties(physical, &properties);
    Caps caps;
    caps.index = index;
    caps.name = properties.deviceName;
    caps.type = device_type(properties.deviceType);
    caps.software = caps.type == DeviceType::Cpu;
    if (switches().discrete) caps.type = DeviceType::Discrete;
    caps.vendor_id = properties.vendorID;
    caps.device_id = properties.deviceID;
    caps.driver_version = properties.driverVersion;
    caps.api_version = format("{}.{}.{}", VK_API_VERSION_MAJOR(properties.apiVersion),
                              VK_API_VERSION_MINOR(properties.apiVersion), VK_API_VERSION_PATCH(properties.apiVersion));
    caps.max_push_bytes = properties.limits.maxPushConstantsSize;
    caps.max_workgroup_invocations = properties.limits.maxComputeWorkGroupInvocations;
    caps.max_shared_bytes = properties.limits.maxComputeSharedMemorySize;
    caps.max_groups_x = properties.limits.maxComputeWorkGroupCount[0];
    caps.max_groups_y = properties.limits.maxComputeWorkGroupCount[1];
    caps.max_groups_z = properties.limits.maxComputeWorkGroupCount[2];
    const std::vector<QueueFamily> families = queue_families(physical);
    const std::uint32_t family = choose_queue_family(families);
    caps.has_compute_queue = family != no_queue_family;
    const bool timestamps = caps.has_compute_queue && families[family].timestamp_bits > 0;
    caps.timestamp_period_ns = timestamps ? properties.limits.timestampPeriod : 0;
    caps.memory_budget = has_extension(physical, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
    if (properties.apiVersion >= VK_API_VERSION_1_2) {
        read_properties(physical, caps);
        read_features(physical, caps);
        read_subgroups(physical, caps);
    }
    read_memory(physical, caps);
    return caps;
}

std::vector<Caps> list_devices() {
    std::vector<Caps> list;
    if (const Instance* instance = Instance::get())
        for (const VkPhysicalDevice physical : instance->physical_devices())
            list.push_back(read_caps(physical, static_cast<int>(list.size())));
    return list;
}

bool borrows_host_pages(VkPhysicalDevice physical, const Caps& caps) {
    return caps.software && has_extension(physical, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
}

}  // namespace gpu
