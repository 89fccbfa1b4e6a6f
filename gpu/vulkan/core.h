// The opened VkDevice with what its buffers, pipelines and command lists share. Private to gpu/vulkan.
// Handles hold a reference to the core; ~Device destroys every Vulkan object and leaves the handles inert.
#pragma once

#include <vulkan/vulkan.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "gpu/vulkan/commands.h"
#include "gpu/vulkan/fft.h"
#include "gpu/vulkan/instance.h"
#include "gpu/vulkan/memory.h"
#include "gpu/vulkan/pipeline.h"

namespace gpu {

// A command pool with its one command buffer and its queries; reused when the list that had it is gone.
struct CommandSlot {
    VkCommandPool pool = VK_NULL_HANDLE;
    VkCommandBuffer buffer = VK_NULL_HANDLE;
    std::vector<VkQueryPool> queries;
};

inline constexpr std::uint32_t queries_per_pool = 256;

struct DeviceCore : std::enable_shared_from_this<DeviceCore> {
    DeviceCore(Instance& instance, VkPhysicalDevice physical, const Caps& caps);
    ~DeviceCore();
    void shut_down();   // idempotent

    // core.cpp
    BufferRef allocate(std::size_t size, Domain domain);
    void release(Buffer& buffer);
    void inject(const Device::Faults& faults);
    bool is_lost() const { return lost_; }

    // pipeline_store.cpp
    PipelineRef pipeline(const PipelineKey& key);
    std::vector<PipelineRef> pipelines(const std::vector<PipelineKey>& keys);
    void load_pipeline_cache();
    void save_pipeline_cache();

    // commands.cpp
    CommandsRef record(bool timed);
    CommandSlot* take_slot();
    void recycle(CommandSlot* slot);
    void add_query_pool(CommandSlot& slot);

    // fft.cpp
    FftPlanRef fft_plan(const FftShape& shape);
    void close_fft_plans();

    // timeline.cpp
    std::uint64_t submit(std::span<const CommandsRef> lists);
    void wait(std::uint64_t value);
    std::uint64_t completed();   // the value that the device has reached
    void retire();               // frees what finished submissions held

    Instance& instance;
    VkPhysicalDevice physical;
    const Caps caps;
    VkDevice device = VK_NULL_HANDLE;
    VkQueue queue = VK_NULL_HANDLE;
    std::uint32_t queue_family = 0;
    std::uint64_t timestamp_mask = 0;
    VkSemaphore timeline = VK_NULL_HANDLE;
    std::unique_ptr<Memory> memory;
    std::atomic<bool> alive = false;
    std::atomic<std::uint64_t> submitted = 0;

private:
    void create_device();
    PipelineRef find_pipeline(const Hash& hash);
    PipelineRef create_pipeline(const PipelineKey& key, const Hash& hash);
    VkPipelineLayout layout_for(std::uint32_t push_bytes);
    void make_fft_plan(FftPlan::State& plan, const FftShape& shape);
    [[noreturn]] void lost(const char* operation);
    bool fault_due(std::uint64_t& countdown, std::uint64_t& times);

    std::mutex queue_mutex_;
    struct InFlight {
        std::uint64_t value;
        CommandsRef commands;
    };
    std::deque<InFlight> in_flight_;
    std::atomic<std::uint64_t> completed_ = 0;
    std::atomic<bool> lost_ = false;

    std::mutex faults_mutex_;
    Device::Faults faults_;

    std::mutex slots_mutex_;
    std::vector<std::unique_ptr<CommandSlot>> slots_;
    std::vector<CommandSlot*> free_slots_;

    std::mutex fft_mutex_;
    std::vector<FftPlanRef> fft_plans_;                // the one used last comes last
    std::vector<std::weak_ptr<FftPlan>> fft_alive_;    // also those that only recorded lists hold

    std::mutex pipelines_mutex_;
    std::unordered_map<Hash, PipelineRef> pipelines_;
    std::unordered_map<std::uint32_t, VkPipelineLayout> layouts_;
    VkPipelineCache pipeline_cache_ = VK_NULL_HANDLE;
    Hash cache_key_;     // of the driver's blob on disk
    Hash saved_cache_;   // the blob's content as it is there
    bool new_pipelines_ = false;
};

}  // namespace gpu
