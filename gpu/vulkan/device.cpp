#include "gpu/vulkan/device.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <mutex>

#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/switches.h"
#include "gpu/vulkan/core.h"
#include "gpu/vulkan/physical.h"

namespace gpu {
namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

int rank(DeviceType type) {
    switch (type) {
        case DeviceType::Discrete: return 0;
        case DeviceType::Integrated: return 1;
        case DeviceType::Virtual: return 2;
        case DeviceType::Cpu: return 3;
        case DeviceType::Other: return 4;
    }
    return 4;
}

bool is_index(const std::string& selector) {
    return !selector.empty() && selector.size() < 6 &&
           std::all_of(selector.begin(), selector.end(), [](unsigned char c) { return std::isdigit(c); });
}

bool matches(const Caps& caps, const std::string& selector) {
    if (selector.empty()) return true;
    if (is_index(selector)) return caps.index == std::stoi(selector);
    if (lower(selector) == "cpu") return caps.type == DeviceType::Cpu;
    if (lower(selector) == "gpu") return caps.type != DeviceType::Cpu;
    return lower(caps.name).find(lower(selector)) != std::string::npos;
}

[[noreturn]] void fail(const std::string& selector, const std::vector<Caps>& list) {
    std::string text = list.empty() ? "this machine has no Vulkan device" : "there are";
    for (const Caps& caps : list) {
        text += format("\n  {}: {} ({}, {})", caps.index, caps.name, to_string(caps.type), caps.driver);
        if (const std::string missing = caps.missing(); !missing.empty()) text += ", unusable: lacks " + missing;
    }
    const std::string wanted = selector.empty() ? "" : format(" \"{}\"", selector);
    throw Error(ErrorCode::NoDevice, "open device: expected a usable Vulkan device{}, {}", wanted, text);
}

std::mutex current_mutex;

std::shared_ptr<Device>& current_slot() {
    static std::shared_ptr<Device> slot;
    return slot;
}

// Drivers stop their threads in exit handlers of their own. Ours is registered after the device was opened, thus runs
// before theirs.
void close_at_exit() {
    static const int registered = std::atexit([] {
        std::shared_ptr<Device> device;
        const std::lock_guard lock(current_mutex);
        device.swap(current_slot());
    });
    static_cast<void>(registered);
}

// "allocate:N", "submit:N" or nothing.
Device::Faults parse_faults(const std::string& text) {
    if (text.empty()) return {};
    const std::size_t colon = text.find(':');
    const std::string what = text.substr(0, colon), number = colon == std::string::npos ? "" : text.substr(colon + 1);
    const std::uint64_t n = is_index(number) ? static_cast<std::uint64_t>(std::stoi(number)) : 0;
    check(n > 0 && (what == "allocate" || what == "submit"), ErrorCode::Usage,
          "switch HEDDLE_FAULT: expected allocate:N or submit:N, got \"{}\"", text);
    return what == "allocate" ? Device::Faults{.allocation = n} : Device::Faults{.submission = n};
}

}  // namespace

struct Device::State {
    std::shared_ptr<DeviceCore> core;
};

Device::Device() {
    static std::atomic<std::uint64_t> next{1};
    id_ = next++;
}

Device::~Device() {
    // A lost device stays until its last buffer goes: values of it may still be read where they are mapped.
    if (state_ && !state_->core->is_lost()) state_->core->shut_down();
}

std::shared_ptr<Device> Device::open(const std::string& selector) {
    const std::vector<Caps> list = list_devices();
    const Caps* best = nullptr;
    for (const Caps& caps : list)
        if (matches(caps, selector) && caps.missing().empty() && (!best || rank(caps.type) < rank(best->type)))
            best = &caps;
    if (!best) fail(selector, list);

    Instance& instance = *Instance::get();
    std::shared_ptr<Device> device(new Device);
    device->caps_ = *best;
    device->state_ = std::make_unique<State>();
    device->state_->core = std::make_shared<DeviceCore>(
        instance, instance.physical_devices().at(static_cast<std::size_t>(best->index)), *best);
    device->inject(parse_faults(switches().fault));
    log("vulkan", LogLevel::Info, "device {}: {}, {}, Vulkan {}, unified memory: {}", best->index, best->name,
        best->driver, best->api_version, best->unified_memory ? "yes" : "no");
    return device;
}

Device& Device::current() { return *current_ref(); }

std::shared_ptr<Device> Device::current_ref() {
    const std::lock_guard lock(current_mutex);
    std::shared_ptr<Device>& slot = current_slot();
    if (slot && slot->lost()) {
        const ScopedSwitch once(&Switches::fault, std::string());   // a fault is for one device
        std::shared_ptr<Device> fresh = open(std::to_string(slot->caps().index));
        log("vulkan", LogLevel::Warning, "{} was lost and is opened anew", slot->caps().name);
        fresh->set_budget(slot->state_->core->memory->own_budget());
        slot = std::move(fresh);
    }
    if (!slot) {
        slot = open(switches().device);
        close_at_exit();
    }
    return slot;
}

void Device::set_current(std::shared_ptr<Device> device) {
    {
        const std::lock_guard lock(current_mutex);
        current_slot().swap(device);
    }
    close_at_exit();
}

BufferRef Device::allocate(std::size_t size, Domain domain) { return state_->core->allocate(size, domain); }

void Device::trim() {
    state_->core->retire();
    state_->core->memory->trim();
}

Device::MemoryUse Device::memory_use() const { return state_->core->memory->use(); }

void Device::reset_peak() { state_->core->memory->reset_peak(); }

PipelineRef Device::pipeline(const PipelineKey& key) { return state_->core->pipeline(key); }

std::vector<PipelineRef> Device::pipelines(const std::vector<PipelineKey>& keys) {
    return state_->core->pipelines(keys);
}

void Device::save_pipeline_cache() { state_->core->save_pipeline_cache(); }

FftPlanRef Device::fft_plan(const FftShape& shape) { return state_->core->fft_plan(shape); }
CommandsRef Device::record(bool timed) { return state_->core->record(timed); }

std::uint64_t Device::submit(const CommandsRef& commands) { return state_->core->submit(commands); }

std::uint64_t Device::submitted() const { return state_->core->submitted; }

void Device::wait(std::uint64_t value) { state_->core->wait(value); }

void Device::wait_idle() { state_->core->wait(submitted()); }

std::uint64_t Device::budget() const { return state_->core->memory->budget(); }

void Device::set_budget(std::uint64_t bytes) { state_->core->memory->set_budget(bytes); }

void Device::adopt(std::int64_t bytes) { state_->core->memory->adopt(bytes); }

bool Device::lost() const { return state_->core->is_lost(); }

void Device::inject(const Faults& faults) { state_->core->inject(faults); }

int Device::validation_messages() const { return state_->core->instance.validation_messages(); }

}  // namespace gpu
