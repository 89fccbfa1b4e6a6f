// Pipelines by content: in memory by key, on disk through the driver's own blob.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include "gpu/base/cancel_scope_token.h"
#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/span.h"
#include "gpu/base/switches.h"
#include "gpu/vulkan/cache_file.h"
#include "gpu/vulkan/core.h"

namespace gpu {
namespace {

constexpr std::size_t most_threads = 16;

// With HEDDLE_SHADER_DIR a changed include must give a new pipeline in the same process.
Hash content_hash(const PipelineKey& key) {
    if (switches().shader_dir.empty()) return key.hash();
    return Hasher().add(key.hash()).add(resolve_includes(key.source)).finish();
}

std::string cache_path(const Caps& caps) { return format("pipelines/{}.bin", hash_text(caps.identity()).hex()); }

struct Module {
    Module(VkDevice device, const std::vector<std::uint32_t>& words) : device(device) {
        const VkShaderModuleCreateInfo info{.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                            .codeSize = words.size() * 4,
                                            .pCode = words.data()};
        expect_success(vkCreateShaderModule(device, &info, nullptr, &handle), "create shader module");
    }
    ~Module() { vkDestroyShaderModule(device, handle, nullptr); }
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    VkDevice device;
    VkShaderModule handle = VK_NULL_HANDLE;
};

}  // namespace

Hash PipelineKey::hash() const {
    Hasher hasher;
    hasher.add(name).add(source).add(defines.size());
    for (const std::string& define : defines) hasher.add(define);
    hasher.add(constants.size());
    for (const std::uint32_t constant : constants) hasher.add(constant);
    return hasher.add(push_bytes).add(subgroup_size).finish();
}

Pipeline::~Pipeline() = default;   // the device owns the handle for as long as it lives

PipelineRef DeviceCore::find_pipeline(const Hash& hash) {
    const std::lock_guard lock(pipelines_mutex_);
    const auto at = pipelines_.find(hash);
    return at == pipelines_.end() ? nullptr : at->second;
}

PipelineRef DeviceCore::pipeline(const PipelineKey& key) {
    const Hash hash = content_hash(key);
    if (PipelineRef found = find_pipeline(hash)) return found;
    return create_pipeline(key, hash);
}

std::vector<PipelineRef> DeviceCore::pipelines(const std::vector<PipelineKey>& keys) {
    std::vector<Hash> hashes;
    std::vector<std::size_t> missing;   // the first place of each key that has no pipeline yet
    std::unordered_map<Hash, PipelineRef> found;
    for (const PipelineKey& key : keys) {
        hashes.push_back(content_hash(key));
        const auto [at, fresh] = found.try_emplace(hashes.back());
        if (fresh) at->second = find_pipeline(hashes.back());
        if (fresh && !at->second) missing.push_back(hashes.size() - 1);
    }

    std::vector<PipelineRef> made(missing.size());
    std::vector<std::exception_ptr> failures(missing.size());
    std::atomic<std::size_t> next = 0;
    const std::optional<CancelToken> cancel = cancel_scope_token();      // of the calling thread, for all
    const auto work = [&] {
        for (std::size_t i = next++; i < missing.size(); i = next++) {
            try {
                if (cancel) cancel->check();
                made[i] = create_pipeline(keys[missing[i]], hashes[missing[i]]);
            } catch (...) {
                failures[i] = std::current_exception();
            }
        }
    };
    {
        std::vector<std::jthread> threads;
        const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
        const std::size_t wanted = std::min({most_threads, cores, missing.size()});
        for (std::size_t i = 1; i < wanted; ++i) threads.emplace_back(work);
        work();
    }
    for (const std::exception_ptr& failure : failures)
        if (failure) std::rethrow_exception(failure);

    for (std::size_t i = 0; i < missing.size(); ++i) found[hashes[missing[i]]] = made[i];
    std::vector<PipelineRef> result;
    for (const Hash& hash : hashes) result.push_back(found[hash]);
    return result;
}

VkPipelineLayout DeviceCore::layout_for(std::uint32_t push_bytes) {
    const std::lock_guard lock(pipelines_mutex_);
    VkPipelineLayout& layout = layouts_[push_bytes];
    if (layout) return layout;
    const VkPushConstantRange range{.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .offset = 0, .size = push_bytes};
    const VkPipelineLayoutCreateInfo info{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                          .pushConstantRangeCount = push_bytes > 0 ? 1u : 0u,
                                          .pPushConstantRanges = &range};
    expect_success(vkCreatePipelineLayout(device, &info, nullptr, &layout), "create pipeline layout");
    return layout;
}

PipelineRef DeviceCore::create_pipeline(const PipelineKey& key, const Hash& hash) {
    const Span span("vulkan", "create pipeline", key.name);
    check(key.push_bytes <= caps.max_push_bytes && key.push_bytes % 4 == 0, ErrorCode::Failure,
          "create pipeline {}: expected a multiple of 4 up to {} bytes of push constants, got {}", key.name,
          caps.max_push_bytes, key.push_bytes);
    const Module module(device, compile_glsl(key.name, key.source, key.defines));

    std::vector<VkSpecializationMapEntry> entries;
    for (std::uint32_t i = 0; i < key.constants.size(); ++i) entries.push_back({i, i * 4, 4});
    const VkSpecializationInfo constants{.mapEntryCount = static_cast<std::uint32_t>(entries.size()),
                                         .pMapEntries = entries.data(),
                                         .dataSize = key.constants.size() * 4,
                                         .pData = key.constants.data()};
    check(key.subgroup_size == 0 || caps.has_subgroup_size(key.subgroup_size), ErrorCode::Failure,
          "create pipeline {}: expected a device with subgroups of {}, got {} to {}", key.name, key.subgroup_size,
          caps.min_subgroup_size, caps.max_subgroup_size);
    const VkPipelineShaderStageRequiredSubgroupSizeCreateInfoEXT subgroup{
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO_EXT,
        .requiredSubgroupSize = key.subgroup_size};
    const bool sized = key.subgroup_size != 0 && caps.subgroup_size_control;
    const VkPipelineShaderStageCreateInfo stage{.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                                .pNext = sized ? &subgroup : nullptr,
                                                .flags = sized ? VkFlags{VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT_EXT} : VkFlags{0},
                                                .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                                                .module = module.handle,
                                                .pName = "main",
                                                .pSpecializationInfo = entries.empty() ? nullptr : &constants};
    const VkComputePipelineCreateInfo info{.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
                                           .flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT,
                                           .stage = stage,
                                           .layout = layout_for(key.push_bytes)};
    VkPipeline handle = VK_NULL_HANDLE;
    const VkResult result = vkCreateComputePipelines(device, pipeline_cache_, 1, &info, nullptr, &handle);
    if (result != VK_SUCCESS)
        throw Error(ErrorCode::Failure, "create pipeline {}: expected success, got {}", key.name, result_name(result));

    std::shared_ptr<Pipeline> pipeline(new Pipeline);
    pipeline->name_ = key.name;
    pipeline->pipeline_ = handle;
    pipeline->layout_ = info.layout;
    pipeline->push_bytes_ = key.push_bytes;
    const std::lock_guard lock(pipelines_mutex_);
    const auto [at, fresh] = pipelines_.try_emplace(hash, pipeline);
    if (!fresh) vkDestroyPipeline(device, handle, nullptr);   // another thread was quicker
    new_pipelines_ = true;
    return at->second;
}

void DeviceCore::load_pipeline_cache() {
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties(physical, &properties);
    cache_key_ = Hasher()
                     .add("pipelines 1")
                     .add(caps.identity())
                     .add(std::string_view(reinterpret_cast<const char*>(properties.pipelineCacheUUID), VK_UUID_SIZE))
                     .finish();
    std::vector<std::byte> blob;
    if (auto stored = read_cache_file(cache_path(caps), cache_key_)) {
        blob = std::move(*stored);
        saved_cache_ = hash_bytes(blob);
    }
    VkPipelineCacheCreateInfo info{.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
                                   .initialDataSize = blob.size(),
                                   .pInitialData = blob.data()};
    if (vkCreatePipelineCache(device, &info, nullptr, &pipeline_cache_) == VK_SUCCESS) return;
    info.initialDataSize = 0;
    info.pInitialData = nullptr;
    expect_success(vkCreatePipelineCache(device, &info, nullptr, &pipeline_cache_), "create pipeline cache");
}

void DeviceCore::save_pipeline_cache() {
    {
        const std::lock_guard lock(pipelines_mutex_);
        if (!new_pipelines_) return;
        new_pipelines_ = false;
    }
    std::size_t size = 0;
    if (vkGetPipelineCacheData(device, pipeline_cache_, &size, nullptr) != VK_SUCCESS) return;
    std::vector<std::byte> blob(size);
    if (vkGetPipelineCacheData(device, pipeline_cache_, &size, blob.data()) != VK_SUCCESS) return;
    blob.resize(size);
    const Hash hash = hash_bytes(blob);
    {
        const std::lock_guard lock(pipelines_mutex_);
        if (std::exchange(saved_cache_, hash) == hash) return;
    }
    write_cache_file(cache_path(caps), cache_key_, blob);
}

}  // namespace gpu
