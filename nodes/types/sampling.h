// What travels between the parts of an opened sampling loop. schedule: which sampler calls the network at which noise levels;
// sampler_state: how far it is. In<Sampling>, In<SamplingState>.
#pragma once

#include <memory>
#include <mutex>
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
    int whole_steps = 0;             // of the schedule that this is a part of
    int first_step = 0;              // the step of it that this begins with: fresh noise is numbered by it

    int steps() const { return static_cast<int>(calls.size()); }
    StepInfo info(int call) const;
};

struct SamplingState {
    SamplerState sampler;            // x and what the sampler remembers
    Tensor start;                    // the latent that was begun with, and the noise that it was mixed with: what a mask keeps
    Tensor noise;
    Tensor mask;                     // [1 or N, 1, h, w], 1 where it is repainted; empty: everywhere
    LatentFormat format;
    std::shared_ptr<const class NoiseStream> fresh;      // what stochastic samplers draw from
    int draws = 0;                   // how often they did
    Tensor denoised;                 // the picture that the last step predicted; empty at first
    int call = 0;
    Tensor attention;                // the sum of what was recorded, [N, L, h, w]; empty: nothing was
    int attention_calls = 0;         // of how many calls

    SamplingState with(Tensor x) const;
};

// Fresh noise for the steps of one run: a function of its arguments, whoever asks again and in whatever order. Of `Heddle` each
// step of each picture has an address of its own; the other sources are one stream of numbers, which the draws follow.
class NoiseStream {
public:
    // `first_image`: the number of the first picture in the batch whose numbers are wanted. `same`: all pictures have that one's.
    NoiseStream(NoiseSource source, std::uint64_t seed, gpu::Shape shape, int first_image = 0, bool same = false);
    // The noise that the run begins with.
    Tensor start() const { return draw(0, 0); }
    // Noise for a step (from 0), which is the draw of that number (from 0) after start().
    Tensor step(int step, int draw) const { return this->draw(static_cast<std::uint32_t>(step) + 1, draw + 1); }

private:
    Tensor draw(std::uint32_t step, int number) const;
    Tensor draw_own(std::uint32_t step, int number) const;      // of shape_

    NoiseSource source_;
    std::uint64_t seed_;
    gpu::Shape shape_;
    int first_image_;
    std::int64_t pictures_;      // that get the same numbers; 0: each has its own
    // Where the stream was left, so that draws in order cost nothing to find.
    mutable std::mutex mutex_;
    mutable int drawn_ = 0;
    mutable std::optional<TorchCpuGenerator> torch_;
    mutable std::optional<CudaGenerator> cuda_;
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
