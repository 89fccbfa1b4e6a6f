// What travels between the parts of an opened sampling loop. schedule: which sampler calls the network at which noise levels;
// sampler_state: how far it is. In<Sampling>, In<SamplingState>.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "nodes/core/socket_type.h"
#include "nodes/sampling/noise.h"
#include "nodes/sampling/sampler.h"
#include "nodes/types/latent.h"
#include "nodes/types/patch.h"

namespace nodes {

struct Sampling {
    const Sampler* sampler = nullptr;
    std::shared_ptr<const NoiseTable> table;
    PredictionType prediction = PredictionType::Epsilon;
    SamplerOptions options{};
    NoiseLevels levels, calls;       // see sampler.h; of the part that is run
    bool from_noise = true;          // begins at the highest level, where nothing of the picture is left

    int steps() const { return static_cast<int>(calls.size()); }
    StepInfo info(int call) const;
};

struct SamplingState {
    SamplerState sampler;            // x and what the sampler remembers
    Tensor start;                    // the latent that was begun with, and the noise that it was mixed with: what a mask keeps
    Tensor noise;
    Tensor mask;                     // [1 or N, 1, h, w], 1 where it is repainted; empty: everywhere
    LatentFormat format;
    std::shared_ptr<class NoiseStream> fresh;      // what stochastic samplers draw from
    Tensor denoised;                 // the picture that the last step predicted; empty at first
    int call = 0;

    SamplingState with(Tensor x) const;
};

// Fresh noise for the steps of one run. Of `Heddle`, call n of picture i has an address of its own; the other sources are one
// stream of numbers, so that calls must follow in order.
class NoiseStream {
public:
    NoiseStream(NoiseSource source, std::uint64_t seed, gpu::Shape shape);
    // The noise that the run begins with, then that of each call in order.
    Tensor start();
    Tensor step(int call);
    const gpu::Shape& shape() const { return shape_; }

private:
    Tensor draw(std::uint32_t step);

    NoiseSource source_;
    std::uint64_t seed_;
    gpu::Shape shape_;
    std::optional<TorchCpuGenerator> torch_;
    std::optional<CudaGenerator> cuda_;
};

template <>
struct SocketTraits<Sampling> {
    static constexpr const char* name = "schedule";
    static SocketType describe();
};

template <>
struct SocketTraits<SamplingState> {
    static constexpr const char* name = "sampler_state";
    static SocketType describe();
};

}  // namespace nodes
