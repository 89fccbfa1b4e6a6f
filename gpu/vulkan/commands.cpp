#include "gpu/vulkan/commands.h"

#include <algorithm>
#include <utility>

#include "gpu/base/error.h"
#include "gpu/vulkan/command_state.h"
#include "gpu/vulkan/core.h"

namespace gpu {
namespace {

constexpr VkAccessFlags writes = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
constexpr VkAccessFlags reads = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT;
constexpr VkPipelineStageFlags stages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;

void memory_barrier(VkCommandBuffer buffer, VkPipelineStageFlags to_stages, VkAccessFlags to_access) {
    const VkMemoryBarrier barrier{
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = writes, .dstAccessMask = to_access};
    vkCmdPipelineBarrier(buffer, stages, to_stages, 0, 1, &barrier, 0, nullptr, 0, nullptr);
}

// Labels cost a copy of the text in the driver; only the validation layers and debuggers read them.
class LabelScope {
public:
    LabelScope(Commands::State& state, const std::string& label) : state_(state) {
        if (!state.core->instance.begin_label) return;
        const VkDebugUtilsLabelEXT info{.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT, .pLabelName = label.c_str()};
        state.core->instance.begin_label(state.slot->buffer, &info);
    }
    ~LabelScope() {
        if (state_.core->instance.end_label) state_.core->instance.end_label(state_.slot->buffer);
    }
    LabelScope(const LabelScope&) = delete;
    LabelScope& operator=(const LabelScope&) = delete;

private:
    Commands::State& state_;
};

void check_range(const char* operation, const Buffer& buffer, std::uint64_t offset, std::uint64_t size) {
    check(offset <= buffer.size() && size <= buffer.size() - offset, ErrorCode::Failure,
          "{}: expected a range inside {} bytes, got {} bytes at {}", operation, buffer.size(), size, offset);
}

}  // namespace

void Commands::State::check_recording(const char* operation) const {
    check(core->alive, ErrorCode::Failure, "{}: expected an open device, it was closed", operation);
    check(!ended, ErrorCode::Failure, "{}: expected a list that is being recorded, this one was ended", operation);
}

// Writes a timestamp; makes room for it first.
void Commands::State::timestamp(VkPipelineStageFlagBits stage) {
    const std::uint32_t index = stamps % queries_per_pool;
    const std::uint32_t pool = stamps / queries_per_pool;
    if (pool == slot->queries.size()) core->add_query_pool(*slot);
    if (index == 0) vkCmdResetQueryPool(slot->buffer, slot->queries[pool], 0, queries_per_pool);
    vkCmdWriteTimestamp(slot->buffer, stage, slot->queries[pool], index);
    ++stamps;
}

Commands::~Commands() {
    if (state_ && state_->slot) state_->core->recycle(state_->slot);
}

void Commands::dispatch(const PipelineRef& pipeline, std::span<const std::byte> push,
                        std::array<std::uint32_t, 3> groups, const std::string& label,
                        std::array<std::uint32_t, 3> base) {
    State& state = *state_;
    state.check_recording("dispatch");
    const Caps& caps = state.core->caps;
    check(groups[0] <= caps.max_groups_x && groups[1] <= caps.max_groups_y && groups[2] <= caps.max_groups_z,
          ErrorCode::Failure, "dispatch {}: expected at most {} x {} x {} groups, got {} x {} x {}", label,
          caps.max_groups_x, caps.max_groups_y, caps.max_groups_z, groups[0], groups[1], groups[2]);
    check(push.size() == pipeline->push_bytes(), ErrorCode::Failure,
          "dispatch {}: expected {} bytes of push constants, got {}", label, pipeline->push_bytes(), push.size());

    const VkCommandBuffer buffer = state.slot->buffer;
    state.labels.push_back(label);
    const LabelScope scope(state, label);
    if (state.bound != pipeline->handle()) {
        vkCmdBindPipeline(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, static_cast<VkPipeline>(pipeline->handle()));
        state.bound = pipeline->handle();
    }
    if (!push.empty())
        vkCmdPushConstants(buffer, static_cast<VkPipelineLayout>(pipeline->layout()), VK_SHADER_STAGE_COMPUTE_BIT, 0,
                           static_cast<std::uint32_t>(push.size()), push.data());
    if (state.timed) state.timestamp(VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT);
    vkCmdDispatchBase(buffer, base[0], base[1], base[2], groups[0], groups[1], groups[2]);
    if (state.timed) state.timestamp(VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT);
    ++commands_;
}

void Commands::barrier() {
    state_->check_recording("barrier");
    memory_barrier(state_->slot->buffer, stages, reads | writes);
}

void Commands::copy(const Buffer& from, std::uint64_t from_offset, const Buffer& to, std::uint64_t to_offset,
                    std::uint64_t size) {
    state_->check_recording("copy");
    check_range("copy: source", from, from_offset, size);
    check_range("copy: destination", to, to_offset, size);
    if (size == 0) return;
    const std::uint64_t source = from.block_->base + from.offset_ + from_offset;
    const std::uint64_t target = to.block_->base + to.offset_ + to_offset;
    check(from.block_ != to.block_ || source + size <= target || target + size <= source, ErrorCode::Failure,
          "copy: expected ranges apart, got {} bytes from {} to {} of one block", size, source, target);
    const VkBufferCopy region{.srcOffset = source, .dstOffset = target, .size = size};
    vkCmdCopyBuffer(state_->slot->buffer, from.block_->buffer, to.block_->buffer, 1, &region);
    ++commands_;
}

void Commands::fill(const Buffer& to, std::uint64_t offset, std::uint64_t size, std::uint32_t word) {
    state_->check_recording("fill");
    check_range("fill", to, offset, size);
    check(offset % 4 == 0 && size % 4 == 0, ErrorCode::Failure,
          "fill: expected multiples of 4 bytes, got {} bytes at {}", size, offset);
    if (size == 0) return;
    vkCmdFillBuffer(state_->slot->buffer, to.block_->buffer, to.block_->base + to.offset_ + offset, size, word);
    ++commands_;
}

void Commands::end() {
    state_->check_recording("end");
    memory_barrier(state_->slot->buffer, VK_PIPELINE_STAGE_HOST_BIT,
                   VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT);
    expect_success(vkEndCommandBuffer(state_->slot->buffer), "end command list");
    state_->ended = true;
}

// Two of each dispatch, when it began and when it ended. Waits for them; none where there is nothing to wait for.
std::vector<std::uint64_t> Commands::stamps() const {
    const State& state = *state_;
    if (!state.timed || state.value == 0 || !state.core->alive) return {};
    state.core->wait(state.value);
    std::vector<std::uint64_t> stamps(state.stamps);
    for (std::uint32_t first = 0; first < state.stamps; first += queries_per_pool) {
        const std::uint32_t count = std::min(queries_per_pool, state.stamps - first);
        const VkResult result = vkGetQueryPoolResults(
            state.core->device, state.slot->queries[first / queries_per_pool], 0, count, count * sizeof(std::uint64_t),
            stamps.data() + first, sizeof(std::uint64_t), VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
        expect_success(result, "read timings");
    }
    return stamps;
}

std::int64_t Commands::nanoseconds(std::uint64_t from, std::uint64_t to) const {
    const DeviceCore& core = *state_->core;
    return static_cast<std::int64_t>(static_cast<double>((to - from) & core.timestamp_mask) * core.caps.timestamp_period_ns);
}

std::vector<Commands::Timing> Commands::timings() const {
    const std::vector<std::uint64_t> all = stamps();
    std::vector<Timing> list;
    for (std::size_t i = 0; 2 * i + 1 < all.size(); ++i) list.push_back({state_->labels[i], nanoseconds(all[2 * i], all[2 * i + 1])});
    return list;
}

std::int64_t Commands::elapsed_ns() const {
    const std::vector<std::uint64_t> all = stamps();
    return all.empty() ? 0 : nanoseconds(all.front(), all.back());
}

CommandsRef DeviceCore::record(bool timed) {
    check(alive, ErrorCode::Failure, "record: expected an open device, it was closed");
    CommandsRef commands(new Commands);
    commands->state_ = std::make_unique<Commands::State>();
    Commands::State& state = *commands->state_;
    state.core = shared_from_this();
    state.slot = take_slot();
    state.timed = timed && caps.timestamp_period_ns > 0;
    const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    expect_success(vkBeginCommandBuffer(state.slot->buffer, &begin), "record commands");
    memory_barrier(state.slot->buffer, stages, reads | writes);   // sees what earlier submissions wrote
    return commands;
}

CommandSlot* DeviceCore::take_slot() {
    const std::lock_guard lock(slots_mutex_);
    if (!free_slots_.empty()) {
        CommandSlot* slot = free_slots_.back();
        expect_success(vkResetCommandPool(device, slot->pool, 0), "reset command pool");
        free_slots_.pop_back();
        return slot;
    }
    auto slot = std::make_unique<CommandSlot>();
    const VkCommandPoolCreateInfo pool{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                       .queueFamilyIndex = queue_family};
    expect_success(vkCreateCommandPool(device, &pool, nullptr, &slot->pool), "create command pool");
    slots_.push_back(std::move(slot));
    CommandSlot* made = slots_.back().get();
    const VkCommandBufferAllocateInfo buffer{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                             .commandPool = made->pool,
                                             .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                             .commandBufferCount = 1};
    expect_success(vkAllocateCommandBuffers(device, &buffer, &made->buffer), "allocate command buffer");
    return made;
}

void DeviceCore::recycle(CommandSlot* slot) {
    const std::lock_guard lock(slots_mutex_);
    if (alive) free_slots_.push_back(slot);
}

void DeviceCore::add_query_pool(CommandSlot& slot) {
    const VkQueryPoolCreateInfo info{.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                     .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                     .queryCount = queries_per_pool};
    VkQueryPool pool = VK_NULL_HANDLE;
    expect_success(vkCreateQueryPool(device, &info, nullptr, &pool), "create query pool");
    slot.queries.push_back(pool);
}

}  // namespace gpu
