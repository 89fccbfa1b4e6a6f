// How long steps take on a device, roughly: assumed by its kind, corrected by what submissions took. It decides where
// command lists are cut so that no submission holds a desktop's GPU for long.
#pragma once

#include <cstdint>

#include "gpu/plan/program.h"
#include "gpu/vulkan/caps.h"

namespace gpu {

class DeviceRate {
public:
    explicit DeviceRate(const Caps& caps);

    double seconds(const Step& step) const;
    // A submission that was expected to take `estimated` seconds took `taken`. Estimates that were much too low are raised;
    // version() changes then, and lists are to be cut anew. Software devices are left alone: they hold nobody's screen.
    void observe(double estimated, double taken, double slice);
    std::uint64_t version() const { return version_; }

private:
    bool corrects_;
    double flops_, bytes_;   // per second
    double scale_ = 1;
    std::uint64_t version_ = 1;
};

}  // namespace gpu
