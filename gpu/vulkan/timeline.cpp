// Submission and waiting: every submission is one value of the device's timeline semaphore.
#include <algorithm>
#include <limits>

#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/vulkan/command_state.h"
#include "gpu/vulkan/core.h"

namespace gpu {
namespace {

constexpr std::size_t most_labels = 100;

}  // namespace

std::uint64_t DeviceCore::submit(std::span<const CommandsRef> lists) {
    check(alive, ErrorCode::Failure, "submit: expected an open device, it was closed");
    std::vector<VkCommandBuffer> buffers;
    for (const CommandsRef& commands : lists) {
        const Commands::State& state = *commands->state_;
        check(state.core.get() == this, ErrorCode::Failure, "submit: expected a list of this device, got another device's");
        check(state.ended, ErrorCode::Failure, "submit: expected a list that was ended, it is still being recorded");
        buffers.push_back(state.slot->buffer);
    }
    if (lost_) lost("submit");
    retire();
    std::uint64_t once = 1;
    const bool fails = fault_due(faults_.submission, once);

    std::unique_lock lock(queue_mutex_);
    std::uint64_t busy = 0;   // one submission of a list at a time
    const auto last_use = [&] {
        busy = 0;
        for (const CommandsRef& commands : lists) busy = std::max<std::uint64_t>(busy, commands->state_->value);
        return busy;
    };
    while (last_use() > completed_) {
        lock.unlock();
        wait(busy);
        lock.lock();
    }
    const std::uint64_t value = submitted + 1;
    const VkTimelineSemaphoreSubmitInfo values{.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
                                               .signalSemaphoreValueCount = 1,
                                               .pSignalSemaphoreValues = &value};
    const VkSubmitInfo info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                            .pNext = &values,
                            .commandBufferCount = static_cast<std::uint32_t>(buffers.size()),
                            .pCommandBuffers = buffers.data(),
                            .signalSemaphoreCount = 1,
                            .pSignalSemaphores = &timeline};
    const VkResult result = fails ? VK_ERROR_DEVICE_LOST : vkQueueSubmit(queue, 1, &info, VK_NULL_HANDLE);
    if (result == VK_SUCCESS || result == VK_ERROR_DEVICE_LOST)
        for (const CommandsRef& commands : lists) in_flight_.push_back({value, commands});
    if (result == VK_ERROR_DEVICE_LOST) {
        lock.unlock();
        lost("submit");
    }
    expect_success(result, "submit");
    for (const CommandsRef& commands : lists) commands->state_->value = value;
    submitted = value;
    return value;
}

std::uint64_t DeviceCore::completed() {
    std::uint64_t value = 0;
    // A lost device counts as having finished everything, so that what it held can be dropped.
    if (lost_ || vkGetSemaphoreCounterValue(device, timeline, &value) != VK_SUCCESS) return submitted;
    value = std::min<std::uint64_t>(value, submitted);
    for (std::uint64_t old = completed_; old < value && !completed_.compare_exchange_weak(old, value);) {
    }
    return completed_;
}

void DeviceCore::retire() {
    const std::uint64_t value = completed();
    std::vector<CommandsRef> finished;   // destroyed after the lock: a list's end recycles its slot
    {
        const std::lock_guard lock(queue_mutex_);
        while (!in_flight_.empty() && in_flight_.front().value <= value) {
            finished.push_back(std::move(in_flight_.front().commands));
            in_flight_.pop_front();
        }
    }
    memory->collect(value);
}

void DeviceCore::wait(std::uint64_t value) {
    check(alive, ErrorCode::Failure, "wait: expected an open device, it was closed");
    check(value <= submitted, ErrorCode::Failure, "wait: expected a value up to {}, got {}", submitted.load(), value);
    if (lost_) lost("wait");
    if (value > completed_) {
        const VkSemaphoreWaitInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                       .semaphoreCount = 1,
                                       .pSemaphores = &timeline,
                                       .pValues = &value};
        const VkResult result = vkWaitSemaphores(device, &info, std::numeric_limits<std::uint64_t>::max());
        if (result == VK_ERROR_DEVICE_LOST) lost("wait");
        expect_success(result, "wait");
    }
    retire();
}

void DeviceCore::lost(const char* operation) {
    if (!lost_.exchange(true)) vkDeviceWaitIdle(device);   // a loss that a test asked for: what runs must end first
    std::string labels;
    std::size_t count = 0;
    const std::lock_guard lock(queue_mutex_);
    for (const InFlight& entry : in_flight_) {
        if (entry.value <= completed_) continue;
        for (const std::string& label : entry.commands->state_->labels)
            if (count++ < most_labels) labels += "\n  " + label;
    }
    if (count > most_labels) labels += format("\n  and {} more", count - most_labels);
    throw Error(ErrorCode::DeviceLost, "{}: expected {} to answer, the driver lost it; in flight were {} dispatches{}",
                operation, caps.name, count, labels);
}

}  // namespace gpu
