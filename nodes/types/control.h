// control: a side network that steers a model by a picture: ControlNet, T2I-Adapter. In<Control>, Out<Control>.
#pragma once

#include <memory>
#include <string>

#include "nodes/core/socket_type.h"
#include "nodes/types/patch.h"

namespace nodes {

struct ControlOptions {
    double strength = 1;            // factor of all residuals; 0 or less: nothing is added
    double start = 0, end = 1;      // of StepInfo::progress; an end of 1 includes the last step
    // Steers where no prompt does: residuals grow from a tenth to the whole towards the middle block, negative rows get none
    // (arXiv:2302.05543, appendix). Side networks without such levels ignore the former.
    bool guess = false;
    bool pooled = false;            // residuals are averaged over the map, and negative rows get none (shuffle)

    bool active(const StepInfo& at) const { return strength > 0 && at.progress >= start && (at.progress < end || end >= 1); }
};

// Implemented by each kind in nodes/models. Immutable, used by several threads.
class ControlNetwork {
public:
    virtual ~ControlNetwork() = default;
    // `picture` F32 [N, 1 or 3, H, W] in 0..1; it is resized to the picture that is made. A residual patch.
    virtual PatchRef patch(const Tensor& picture, const ControlOptions& options) const = 0;
    virtual std::string summary() const = 0;      // "ControlNet canny, SD 1"
    virtual bool pools() const { return false; }  // whether its file asks for ControlOptions::pooled
};

// A cheap shared handle; never empty on a wire.
struct Control {
    std::shared_ptr<const ControlNetwork> network;
    const ControlNetwork* operator->() const { return network.get(); }
};

template <>
struct SocketTraits<Control> {
    static constexpr const char* name = "control";
    static SocketType describe() {
        return {.title = "Control", .colour = "#8e6bbf", .help = "A side network that steers a model by a picture",
                .summary = erased<Control>([](const Control& control) { return control->summary(); })};
    }
};

}  // namespace nodes
