#include "gpu/vulkan/device.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <mutex>
#include <sstream>
#include <utility>

#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/switches.h"
#include "gpu/vulkan/core.h"
#include "gpu/vulkan/device_scope.h"
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

std::mutex current_mutex;   // of all slots

thread_local DeviceSlot* thread_slot = nullptr;   // of the innermost scope

// Of threads without a scope; its selector is the switch's.
DeviceSlot& process_slot() {
    static DeviceSlot slot{std::string()};
    return slot;
}

DeviceSlot& current_slot() { return thread_slot ? *thread_slot : process_slot(); }

// Drivers stop their threads in exit handlers of their own. Ours is registered after the device was opened, thus runs
// before theirs.
void close_at_exit() {
    process_slot();   // made before, thus there when the handler runs
    static const int registered = std::atexit([] {
        std::shared_ptr<Device> device;
        std::shared_ptr<void> companion;
        const std::lock_guard lock(current_mutex);
        device.swap(process_slot().device);
        companion.swap(process_slot().companion);
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
    std::shared_ptr<Device>& slot = current_slot().device;
    if (slot && slot->lost()) {
        const ScopedSwitch once(&Switches::fault, std::string());   // a fault is for one device
        std::shared_ptr<Device> fresh = open(std::to_string(slot->caps().index));
        log("vulkan", LogLevel::Warning, "{} was lost and is opened anew", slot->caps().name);
        fresh->set_budget(slot->state_->core->memory->own_budget());
        slot = std::move(fresh);
    }
    if (!slot) {
        slot = open(thread_slot ? thread_slot->selector : switches().device);
        close_at_exit();
    }
    return slot;
}

void Device::set_current(std::shared_ptr<Device> device) {
    {
        const std::lock_guard lock(current_mutex);
        process_slot().device.swap(device);
    }
    close_at_exit();
}

std::vector<std::shared_ptr<DeviceSlot>> device_slots(const std::string& selectors) {
    std::vector<std::shared_ptr<DeviceSlot>> made;
    const bool list = selectors.find(',') != std::string::npos;
    if (list && std::ranges::any_of(list_devices(), [&](const Caps& caps) { return lower(caps.name).find(lower(selectors)) != std::string::npos; }))
        return {std::make_shared<DeviceSlot>(selectors)};
    std::istringstream parts(selectors);
    for (std::string part; std::getline(parts, part, ',');)
        if (!part.empty()) made.push_back(std::make_shared<DeviceSlot>(part));
    return made;
}

DeviceScope::DeviceScope(std::shared_ptr<DeviceSlot> slot) : slot_(std::move(slot)), outer_(thread_slot) {
    if (slot_) thread_slot = slot_.get();
}
DeviceScope::~DeviceScope() { thread_slot = outer_; }

std::shared_ptr<void> device_companion(const std::function<std::shared_ptr<void>(std::shared_ptr<Device>)>& make) {
    const std::shared_ptr<Device> device = Device::current_ref();
    std::shared_ptr<void> old;   // goes after the lock
    const std::lock_guard lock(current_mutex);
    DeviceSlot& slot = current_slot();
    if (!slot.companion || slot.companion_of != device->id()) {
        old = std::exchange(slot.companion, make(device));
        slot.companion_of = device->id();
    }
    return slot.companion;
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

std::uint64_t Device::submit(const CommandsRef& commands) { return submit(std::span(&commands, 1)); }
std::uint64_t Device::submit(std::span<const CommandsRef> lists) { return state_->core->submit(lists); }

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
