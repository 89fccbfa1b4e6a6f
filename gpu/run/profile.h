// What one kernel did, for people: HEDDLE_DEBUG=2 prints it, a trace shows it.
#pragma once

#include <cstdint>

#include "gpu/plan/program.h"

namespace gpu {

enum class KernelPlace { Device, Host };

// `start` on the trace's clock; a host kernel's span lies on its thread, a device's on the device's own lane.
void report_kernel(const Step& step, std::int64_t start, std::int64_t nanoseconds, KernelPlace place);

}  // namespace gpu
