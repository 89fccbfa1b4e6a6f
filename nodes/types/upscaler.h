// upscaler: a network that enlarges pictures. In<Upscaler>, Out<Upscaler>.
#pragma once

#include <memory>
#include <string>

#include "nodes/core/socket_type.h"
#include "nodes/types/tensor.h"

namespace nodes {

// Implemented by each family in nodes/models/upscale. Immutable, used by several threads.
class UpscaleNetwork {
public:
    virtual ~UpscaleNetwork() = default;
    virtual int scale() const = 0;                // both sides grow by this; 1: the network cleans and keeps the size
    // Pictures F32 [N, 3, H, W] in 0..1 (sRGB) to [N, 3, H scale, W scale]. Lazy; values may leave 0..1 a little.
    virtual Tensor operator()(const Tensor& pictures) const = 0;
    virtual std::string summary() const = 0;      // "ESRGAN, 4x, 23 blocks of 64 channels"
    virtual std::size_t bytes() const = 0;        // of the weights
};

// A cheap shared handle; never empty on a wire.
struct Upscaler {
    std::shared_ptr<const UpscaleNetwork> network;

    const UpscaleNetwork* operator->() const { return network.get(); }
};

template <>
struct SocketTraits<Upscaler> {
    static constexpr const char* name = "upscaler";
    static SocketType describe() {
        return {.title = "Upscaler", .colour = "#7a9e3c", .help = "Enlarges pictures",
                .bytes = erased<Upscaler>([](const Upscaler& upscaler) { return upscaler->bytes(); }),
                .summary = erased<Upscaler>([](const Upscaler& upscaler) { return upscaler->summary(); })};
    }
};

}  // namespace nodes
