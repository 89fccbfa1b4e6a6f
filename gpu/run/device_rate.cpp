#include "gpu/run/device_rate.h"

#include <algorithm>

namespace gpu {
namespace {

// Every submission has some cost of its own; steps without bytes or FLOP still take a while.
constexpr double step_seconds = 2e-6;

}  // namespace

DeviceRate::DeviceRate(const Caps& caps) : corrects_(!caps.software) {
    // Low for the kind: a slice that is too short costs a submission, one that is too long holds a screen.
    if (caps.software) {
        flops_ = 5e9;
        bytes_ = 4e9;
    } else if (caps.type == DeviceType::Discrete) {
        flops_ = 1e12;
        bytes_ = 100e9;
    } else {
        flops_ = 2e11;
        bytes_ = 20e9;
    }
}

double DeviceRate::seconds(const Step& step) const {
    return scale_ * (step_seconds + std::max(step.flop / flops_, step.bytes / bytes_));
}

void DeviceRate::observe(double estimated, double taken, double slice) {
    // Short submissions say little: the clock, other programs and the wait itself weigh more than the work.
    if (!corrects_ || estimated < slice / 4 || taken < 1.5 * estimated || taken < slice) return;
    scale_ *= std::min(taken / estimated, 4.0);
    ++version_;
}

}  // namespace gpu
