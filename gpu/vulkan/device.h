// One opened Vulkan device: memory, pipelines, recording, submission. Compute only, one queue (a compute queue apart
// from graphics where there is one). All methods are thread-safe. Work on it is ordered by a timeline: submit() gives a
// value, wait() blocks until it is reached.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gpu/vulkan/buffer.h"
#include "gpu/vulkan/caps.h"
#include "gpu/vulkan/commands.h"
#include "gpu/vulkan/pipeline.h"

namespace gpu {

class Device {
public:
    // selector: "" (the best: discrete, integrated, virtual, cpu), an index, "cpu", "gpu", or part of a name.
    // Throws Error{NoDevice} that lists what there is and, for an unusable one, what it lacks.
    static std::shared_ptr<Device> open(const std::string& selector);
    // The process's device, opened on first use from HEDDLE_DEVICE or set_current().
    static Device& current();
    static void set_current(std::shared_ptr<Device> device);

    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    const Caps& caps() const { return caps_; }

    // At least 256-byte aligned, contents undefined. Freed blocks are kept and reused (see trim()).
    // Throws Error{OutOfMemory} with requested, used and peak bytes.
    BufferRef allocate(std::size_t size, Domain domain = Domain::Device);
    // Gives the kept free blocks back to the driver.
    void trim();
    struct MemoryUse {
        std::uint64_t used = 0;      // bytes in live buffers
        std::uint64_t reserved = 0;  // bytes held from the driver
        std::uint64_t peak = 0;      // most `used` since the start or reset_peak()
    };
    MemoryUse memory_use() const;
    void reset_peak();

    // Compiles on first use; the same key gives the same pipeline.
    PipelineRef pipeline(const PipelineKey& key);
    // Compiles several at once on a few threads; order as given.
    std::vector<PipelineRef> pipelines(const std::vector<PipelineKey>& keys);
    // Writes the driver's pipeline blob to the cache folder; also done by the destructor when something is new.
    void save_pipeline_cache();

    CommandsRef record(bool timed = false);
    // Returns the timeline value at which this submission has finished.
    std::uint64_t submit(const CommandsRef& commands);
    std::uint64_t submitted() const;   // the value of the last submission
    // Throws Error{DeviceLost} with the labels that were in flight.
    void wait(std::uint64_t value);
    void wait_idle();

    // Validation messages since the start (0 without HEDDLE_VALIDATION); tests demand 0.
    int validation_messages() const;

private:
    Device();

    struct State;
    Caps caps_;
    std::unique_ptr<State> state_;
};

}  // namespace gpu
