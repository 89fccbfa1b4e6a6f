// An input patch of fixed channels: what a model reads beside the noisy latent at every step.
#pragma once

#include <string>

#include "nodes/types/patch.h"

namespace nodes {

class InputChannels final : public InputPatch {
public:
    // `channels` [N, C, h, w] with values, of a latent's size.
    InputChannels(Tensor channels, std::string what) : channels_(std::move(channels)), what_(std::move(what)) {}

    std::string summary() const override { return what_; }
    std::size_t bytes() const override { return tensor_bytes(channels_); }
    Tensor channels(const DenoiserInput& input) const override { return for_call(channels_, input, what_); }

private:
    Tensor channels_;
    std::string what_;
};

}  // namespace nodes
