// Threads with a device of their own: what Device::current() is for one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gpu/vulkan/device.h"

namespace gpu {

// A device that is opened when it is first used, and anew after it was lost. Values that were computed on it live as long as
// the slot, where the host cannot see the device's memory. Equal selectors in two slots open one device twice.
struct DeviceSlot {
    explicit DeviceSlot(std::string selector) : selector(std::move(selector)) {}
    const std::string selector;         // as for Device::open
    // Guarded by the functions of this header and of Device.
    std::shared_ptr<Device> device;
    std::shared_ptr<void> companion;    // destroyed before the device
    std::uint64_t companion_of = 0;     // a device's id
};

// "0,1": a slot each; empty parts are left out. What is a part of one device's name is no list, commas or not.
std::vector<std::shared_ptr<DeviceSlot>> device_slots(const std::string& selectors);

// While it lives, Device::current() of the calling thread is the slot's device. Null: what it was.
class DeviceScope {
public:
    explicit DeviceScope(std::shared_ptr<DeviceSlot> slot);
    ~DeviceScope();
    DeviceScope(const DeviceScope&) = delete;
    DeviceScope& operator=(const DeviceScope&) = delete;

private:
    std::shared_ptr<DeviceSlot> slot_;
    DeviceSlot* outer_;
};

// What goes with the calling thread's current device and no other, such as an engine: made on first use and kept with it.
std::shared_ptr<void> device_companion(const std::function<std::shared_ptr<void>(std::shared_ptr<Device>)>& make);

}  // namespace gpu
