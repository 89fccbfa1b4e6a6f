// An input patch of fixed channels: what a model reads beside the noisy latent at every step.
#pragma once

#include <string>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "nodes/types/patch.h"

namespace nodes {

class InputChannels final : public InputPatch {
public:
    // `channels` [N, C, h, w] with values, of a latent's size.
    InputChannels(Tensor channels, std::string what) : channels_(std::move(channels)), what_(std::move(what)) {}

    std::string summary() const override { return what_; }
    std::size_t bytes() const override { return tensor_bytes(channels_); }
    // Of several pictures each serves its own row, in every group of rows again.
    Tensor channels(const DenoiserInput& input) const override {
        const std::int64_t rows = channels_.size(0), batch = input.batch();
        gpu::check(batch % rows == 0, gpu::ErrorCode::InvalidGraph, "{}: expected 1 picture or as many as latents, {}, got {}", what_, batch, rows);
        return rows == 1 || rows == batch ? channels_ : gpu::repeat(channels_, {batch / rows, 1, 1, 1});
    }

private:
    Tensor channels_;
    std::string what_;
};

}  // namespace nodes
