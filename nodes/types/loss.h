// loss: how far what a network made is from what it should have made, as a graph of terms. In<LossRef>, Out<LossRef>.
#pragma once

#include <memory>
#include <string>

#include "nodes/core/socket_type.h"
#include "nodes/types/tensor.h"

namespace nodes {

struct LossSides {
    Tensor made, wanted;      // [N, C, H, W]: latents or what a diffusion network predicts; pictures in -1..1
    Tensor weight;            // [N, 1, H, W] or [N, 1, 1, 1]; empty: 1
};

// Immutable.
class LossTerm {
public:
    virtual ~LossTerm() = default;
    // One number for each item, [N]. Lazy.
    virtual Tensor operator()(const LossSides& sides) const = 0;
    // Of what it can compare; 0: any number.
    virtual int channels() const { return 0; }
    virtual std::string summary() const = 0;
};

using LossRef = std::shared_ptr<const LossTerm>;      // never empty on a wire

template <>
struct SocketTraits<LossRef> {
    static constexpr const char* name = "loss";
    static SocketType describe();
};

}  // namespace nodes
