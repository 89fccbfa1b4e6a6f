// One opened Vulkan device: memory, pipelines, recording, submission. Compute only, one queue (a compute queue apart
// from graphics where there is one). All methods are thread-safe. Work on it is ordered by a timeline: submit() gives a
// value, wait() blocks until it is reached.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gpu/vulkan/buffer.h"
#include "gpu/vulkan/caps.h"
#include "gpu/vulkan/commands.h"
#include "gpu/vulkan/fft.h"
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
    // The same, shared. A lost device is opened anew here; handles of the old one can still be dropped.
    static std::shared_ptr<Device> current_ref();

    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    const Caps& caps() const { return caps_; }
    // Process-wide unique and never reused.
    std::uint64_t id() const { return id_; }

    // At least 256-byte aligned, contents undefined. Freed blocks are kept and reused (see trim()).
    // Throws Error{OutOfMemory} with requested, used and peak bytes and the budget.
    BufferRef allocate(std::size_t size, Domain domain = Domain::Device);
    // Gives the kept free blocks back to the driver.
    void trim();
    struct MemoryUse {
        std::uint64_t used = 0;      // bytes in live buffers that count towards the budget
        std::uint64_t reserved = 0;  // bytes of such memory held from the driver
        std::uint64_t adopted = 0;   // bytes that others hold on the device's behalf
        std::uint64_t peak = 0;      // most `used` and `adopted` since the start or reset_peak()
        std::uint64_t host = 0;      // bytes in buffers that do not count: staging where memory is not unified
    };
    MemoryUse memory_use() const;
    void reset_peak();
    // What `reserved` and `adopted` keep within: set_budget(), else HEDDLE_BUDGET, else what the driver grants at the moment
    // (VK_EXT_memory_budget), else seven eighths of the heap. On unified memory every buffer counts, else Domain::Device
    // alone.
    std::uint64_t budget() const;
    void set_budget(std::uint64_t bytes);   // 0: as found
    // Counts memory of others, such as weights packed for host kernels; negative when it is given back.
    void adopt(std::int64_t bytes);

    // Compiles on first use; the same key gives the same pipeline.
    PipelineRef pipeline(const PipelineKey& key);
    // Compiles several at once on a few threads; order as given.
    std::vector<PipelineRef> pipelines(const std::vector<PipelineKey>& keys);
    // Writes the driver's pipeline blob to the cache folder; also done by the destructor when something is new.
    void save_pipeline_cache();

    // Compiles on first use, which takes about a second unless the cache folder has it. Throws Error{NoDevice} without VkFFT.
    FftPlanRef fft_plan(const FftShape& shape);

    CommandsRef record(bool timed = false);
    // Returns the timeline value at which this submission has finished.
    std::uint64_t submit(const CommandsRef& commands);
    // Several lists, one after the other, as one submission.
    std::uint64_t submit(std::span<const CommandsRef> lists);
    std::uint64_t submitted() const;   // the value of the last submission
    // Throws Error{DeviceLost} with the labels that were in flight.
    void wait(std::uint64_t value);
    void wait_idle();

    // True once the driver gave up. Everything but dropping handles fails then.
    bool lost() const;
    // For tests; HEDDLE_FAULT sets it at opening. Counts from this call on, 1 is the next one, 0 none.
    struct Faults {
        std::uint64_t allocation = 0;    // the first allocation that fails
        std::uint64_t allocations = 1;   // how many fail from there on
        std::uint64_t submission = 0;    // the submission that loses the device
    };
    void inject(const Faults& faults);

    // Validation messages since the start (0 without HEDDLE_VALIDATION); tests demand 0.
    int validation_messages() const;

private:
    Device();

    struct State;
    Caps caps_;
    std::uint64_t id_;
    std::unique_ptr<State> state_;
};

}  // namespace gpu
