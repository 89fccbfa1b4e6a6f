#include "gpu/run/profile.h"

#include <algorithm>
#include <cstdio>

#include "gpu/base/log.h"
#include "gpu/base/span.h"
#include "gpu/base/switches.h"

namespace gpu {
namespace {

std::string rates(const Step& step, double seconds) {
    char text[160];
    const double time = std::max(seconds, 1e-9);
    std::snprintf(text, sizeof text, "%.3f MB  %.3f MFLOP  %.2f GB/s  %.2f GFLOP/s", step.bytes * 1e-6, step.flop * 1e-6,
                  step.bytes / time * 1e-9, step.flop / time * 1e-9);
    return text;
}

}  // namespace

void report_kernel(const Step& step, std::int64_t start, std::int64_t nanoseconds, KernelPlace place) {
    const std::string text = rates(step, static_cast<double>(nanoseconds) * 1e-9);
    const bool host = place == KernelPlace::Host;
    if (tracing()) add_span({"kernel", step.label, start, nanoseconds, host ? trace_lane() : device_lane, text});
    if (switches().debug < 2) return;
    char time[32];
    std::snprintf(time, sizeof time, "%10.1f us  ", static_cast<double>(nanoseconds) * 1e-3);
    log_message("kernel", LogLevel::Info, time + text + (host ? "  host  " : "  device  ") + step.label);
}

}  // namespace gpu
