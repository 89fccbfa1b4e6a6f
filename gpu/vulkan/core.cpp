#include "gpu/vulkan/core.h"

#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/span.h"
#include "gpu/vulkan/command_state.h"
#include "gpu/vulkan/cooperative_matrix.h"
#include "gpu/vulkan/physical.h"

namespace gpu {
namespace {

std::string mebibytes(std::uint64_t bytes) { return format("{} MiB", (bytes + (1 << 20) - 1) >> 20); }

}  // namespace

DeviceCore::DeviceCore(Instance& instance, VkPhysicalDevice physical, const Caps& caps)
    : instance(instance), physical(physical), caps(caps) {
    const Span span("vulkan", "open device", caps.name);
    create_device();
    alive = true;
    try {
        const VkSemaphoreTypeCreateInfo type{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                             .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
        const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type};
        expect_success(vkCreateSemaphore(device, &info, nullptr, &timeline), "create timeline semaphore");
        memory = std::make_unique<Memory>(physical, device, caps);
        load_pipeline_cache();
    } catch (...) {
        shut_down();
        throw;
    }
}

DeviceCore::~DeviceCore() { shut_down(); }

void DeviceCore::create_device() {
    const std::vector<QueueFamily> families = queue_families(physical);
    queue_family = choose_queue_family(families);
    const std::uint32_t timestamp_bits = families.at(queue_family).timestamp_bits;
    timestamp_mask = timestamp_bits >= 64 ? ~0ull : (1ull << timestamp_bits) - 1;
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue_info{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                             .queueFamilyIndex = queue_family,
                                             .queueCount = 1,
                                             .pQueuePriorities = &priority};
    VkPhysicalDeviceVulkan12Features has12{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
    VkPhysicalDeviceVulkan11Features has11{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
                                           .pNext = &has12};
    VkPhysicalDeviceFeatures2 has{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &has11};
    vkGetPhysicalDeviceFeatures2(physical, &has);

    VkPhysicalDeviceVulkan12Features use12{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
                                           .storageBuffer8BitAccess = has12.storageBuffer8BitAccess,
                                           .shaderBufferInt64Atomics = has12.shaderBufferInt64Atomics,
                                           .shaderFloat16 = has12.shaderFloat16,
                                           .shaderInt8 = has12.shaderInt8,
                                           .scalarBlockLayout = VK_TRUE,
                                           .shaderSubgroupExtendedTypes = has12.shaderSubgroupExtendedTypes,
                                           .timelineSemaphore = VK_TRUE,
                                           .bufferDeviceAddress = VK_TRUE,
                                           .vulkanMemoryModel = has12.vulkanMemoryModel,
                                           .vulkanMemoryModelDeviceScope = has12.vulkanMemoryModelDeviceScope};
    VkPhysicalDeviceVulkan11Features use11{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
                                           .pNext = &use12,
                                           .storageBuffer16BitAccess = has11.storageBuffer16BitAccess};
    const VkPhysicalDeviceFeatures2 use{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                        .pNext = &use11,
                                        .features = {.shaderFloat64 = has.features.shaderFloat64,
                                                     .shaderInt64 = has.features.shaderInt64,
                                                     .shaderInt16 = has.features.shaderInt16}};
    std::vector<const char*> extensions;
    VkPhysicalDeviceSubgroupSizeControlFeaturesEXT subgroups{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT,
        .subgroupSizeControl = VK_TRUE,
        .computeFullSubgroups = VK_TRUE};
    VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrices{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR, .cooperativeMatrix = VK_TRUE};
    const auto enable = [&](bool wanted, const char* extension, auto& features) {
        if (!wanted) return;
        extensions.push_back(extension);
        features.pNext = use12.pNext;
        use12.pNext = &features;
    };
    if (caps.memory_budget) extensions.push_back(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
    if (borrows_host_pages(physical, caps)) extensions.push_back(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
    enable(caps.subgroup_size_control, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME, subgroups);
    enable(caps.cooperative_matrix, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, matrices);
    const VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                  .pNext = &use,
                                  .queueCreateInfoCount = 1,
                                  .pQueueCreateInfos = &queue_info,
                                  .enabledExtensionCount = static_cast<std::uint32_t>(extensions.size()),
                                  .ppEnabledExtensionNames = extensions.data()};
    const VkResult result = vkCreateDevice(physical, &info, nullptr, &device);
    check(result == VK_SUCCESS, ErrorCode::NoDevice, "open device {}: expected success, got {}", caps.name,
          result_name(result));
    vkGetDeviceQueue(device, queue_family, 0, &queue);
}

void DeviceCore::shut_down() {
    if (!alive) return;
    vkDeviceWaitIdle(device);
    if (pipeline_cache_) save_pipeline_cache();
    {
        // The lists go first: they give their slots back while `alive` still holds.
        std::deque<InFlight> finished;
        const std::lock_guard lock(queue_mutex_);
        finished.swap(in_flight_);
    }
    close_fft_plans();
    alive = false;
    memory.reset();
    for (const auto& [hash, pipeline] : pipelines_)
        vkDestroyPipeline(device, static_cast<VkPipeline>(pipeline->handle()), nullptr);
    pipelines_.clear();
    for (const auto& [bytes, layout] : layouts_) vkDestroyPipelineLayout(device, layout, nullptr);
    vkDestroyPipelineCache(device, pipeline_cache_, nullptr);
    for (const auto& slot : slots_) {
        for (const VkQueryPool pool : slot->queries) vkDestroyQueryPool(device, pool, nullptr);
        vkDestroyCommandPool(device, slot->pool, nullptr);
    }
    vkDestroySemaphore(device, timeline, nullptr);
    vkDestroyDevice(device, nullptr);
}

BufferRef DeviceCore::allocate(std::size_t size, Domain domain) {
    check(alive, ErrorCode::Failure, "allocate: expected an open device, it was closed");
    if (lost_) lost("allocate");
    retire();
    const bool fails = fault_due(faults_.allocation, faults_.allocations);
    std::optional<MemorySlice> slice;
    if (!fails) slice = memory->allocate(size, domain);
    if (!slice && !fails && size <= caps.max_buffer_bytes) {
        // What is free in other size classes, or waits for the device, may be all that lacks.
        wait(submitted);
        memory->trim();
        slice = memory->allocate(size, domain);
    }
    if (!slice) {
        const Device::MemoryUse use = memory->use();
        throw Error(
            ErrorCode::OutOfMemory,
            "allocate on {}: expected {} free, got none: {} used, {} held, {} at the peak, budget {}, {} the largest buffer",
            caps.name, mebibytes(size), mebibytes(use.used), mebibytes(use.reserved + use.adopted), mebibytes(use.peak),
            mebibytes(memory->budget()), mebibytes(caps.max_buffer_bytes));
    }
    memory->count_used(size, domain);
    BufferRef buffer(new Buffer);
    buffer->core_ = shared_from_this();
    buffer->block_ = slice->block;
    buffer->offset_ = slice->offset;
    buffer->reserved_ = slice->size;
    buffer->size_ = size;
    buffer->address_ = slice->block->address + slice->offset;
    buffer->mapped_ = slice->block->mapped ? slice->block->mapped + slice->offset : nullptr;
    buffer->domain_ = domain;
    return buffer;
}

void DeviceCore::release(Buffer& buffer) {
    if (!alive) return;
    memory->release({buffer.block_, buffer.offset_, buffer.reserved_}, buffer.size_, buffer.domain_, submitted);
}

void DeviceCore::inject(const Device::Faults& faults) {
    const std::lock_guard lock(faults_mutex_);
    faults_ = faults;
}

// Counts one operation; true when it is one of those that shall fail.
bool DeviceCore::fault_due(std::uint64_t& countdown, std::uint64_t& times) {
    const std::lock_guard lock(faults_mutex_);
    if (countdown == 0) return false;
    if (countdown > 1) return --countdown, false;
    if (times > 0) --times;
    if (times == 0) countdown = 0;
    return true;
}

Buffer::~Buffer() {
    if (core_) core_->release(*this);
}

}  // namespace gpu
