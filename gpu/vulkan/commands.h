// A recorded list of dispatches, copies and barriers. Recorded once, submitted as often as wanted; one submission of it
// may be in flight at a time. Barriers are explicit: the plan knows the read and write sets, Commands never guesses.
// Only between submissions there is always one: a list sees everything that earlier submissions wrote.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gpu/vulkan/buffer.h"
#include "gpu/vulkan/pipeline.h"

namespace gpu {

struct DeviceCore;
class FftPlan;

class Commands {
public:
    ~Commands();
    Commands(const Commands&) = delete;
    Commands& operator=(const Commands&) = delete;

    // `label` names the op and its shapes, for debug labels, profiles and the report of a lost device.
    // `base` is added to gl_WorkGroupID: a piece of a larger dispatch (gl_NumWorkGroups tells of the piece).
    void dispatch(const PipelineRef& pipeline, std::span<const std::byte> push, std::array<std::uint32_t, 3> groups,
                  const std::string& label, std::array<std::uint32_t, 3> base = {0, 0, 0});
    // All earlier shader and transfer writes of this list become visible to all later commands.
    void barrier();
    void copy(const Buffer& from, std::uint64_t from_offset, const Buffer& to, std::uint64_t to_offset,
              std::uint64_t size);
    void fill(const Buffer& to, std::uint64_t offset, std::uint64_t size, std::uint32_t word);
    // Transforms the plan's buffer in place; a dispatch as far as barriers are concerned. Without a label it is not timed.
    void fft(const std::shared_ptr<FftPlan>& plan, const std::string& label);
    // Makes shader writes visible to the host; to be called once, last.
    void end();

    bool empty() const { return commands_ == 0; }

    // Nanoseconds per dispatch of the last finished submission, in recording order; empty unless `timed` was asked for
    // and the device has timestamps.
    struct Timing {
        std::string label;
        std::int64_t nanoseconds;
    };
    std::vector<Timing> timings() const;
    // From the beginning of the first dispatch to the end of the last one; 0 where timings() is empty.
    std::int64_t elapsed_ns() const;

    struct State;   // private to gpu/vulkan

private:
    friend struct DeviceCore;
    Commands() = default;
    std::vector<std::uint64_t> stamps() const;
    std::int64_t nanoseconds(std::uint64_t from, std::uint64_t to) const;

    std::unique_ptr<State> state_;
    int commands_ = 0;
};

using CommandsRef = std::shared_ptr<Commands>;

}  // namespace gpu
