// What a command list keeps. Private to gpu/vulkan.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "gpu/vulkan/core.h"

namespace gpu {

struct Commands::State {
    void check_recording(const char* operation) const;
    void timestamp(VkPipelineStageFlagBits stage);

    std::shared_ptr<DeviceCore> core;
    CommandSlot* slot = nullptr;
    bool timed = false;
    bool ended = false;
    void* bound = nullptr;             // the pipeline bound last
    std::uint32_t stamps = 0;          // timestamps written, two a dispatch
    std::vector<std::string> labels;   // one a dispatch
    std::vector<std::shared_ptr<const void>> kept;   // what the recorded commands use
    std::atomic<std::uint64_t> value = 0;   // timeline value of the last submission
};

}  // namespace gpu
