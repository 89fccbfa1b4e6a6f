// Samplers: how a prediction of the network moves x_t from one noise level to the next. One file per sampler in
// nodes/sampling/samplers; its REGISTER_SAMPLER line makes it a choice of every node that samples.
//
// A loop, whoever writes it (the Sample node, a loop region of the user, a test):
//
//     const auto calls = sampler.calls(levels, table, options);
//     SamplerState state{start};                                     // x at calls[0]: signal x0 + noise e
//     for (int i = 0; i < calls.size(); ++i) {
//         const Tensor output = network(state.x, calls[i].timestep);
//         state = sampler.step({levels, calls, i, table, options, noise}, state, predict(type, output, state.x, calls[i]));
//     }
//
// x is in the variance-preserving form, x_t = signal x0 + noise e, for every sampler: it is what the network takes. What
// k-diffusion's samplers keep is y = x_t / signal. All numbers of a step are known beforehand; tensors are only combined
// linearly, so that a replayed step differs from the one before in numbers alone.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nodes/sampling/prediction.h"
#include "nodes/sampling/schedule.h"

namespace nodes {

struct SamplerState {
    gpu::Tensor x;
    // What the sampler wants back at its next call: earlier predictions, newest first.
    gpu::Tensors history;
};

struct SamplerOptions {
    // Of stochastic samplers: how much of the noise is made new. 0 makes them deterministic; unset is the sampler's usual value.
    std::optional<double> eta;
    double noise_scale = 1;     // multiplies that noise (s_noise of k-diffusion)
    int order = 2;              // of UniPC, 1 to 3
    bool whole_timesteps = false;      // of levels that a sampler places between those of the schedule; ComfyUI and A1111 round them
};

struct SamplerStep {
    const NoiseLevels& levels;            // from make_levels: one per step, and the end
    const NoiseLevels& calls;             // from Sampler::calls
    int call = 0;
    const NoiseTable& table;
    SamplerOptions options;
    // Fresh normal noise of x's shape, asked for at most once a call.
    std::function<gpu::Tensor()> noise;
    // Steps of the schedule that `levels` are a part of, or may not be spread evenly in; 0: they are all, evenly spread.
    int whole_steps = 0;

    const NoiseLevel& here() const { return calls[static_cast<std::size_t>(call)]; }
    // Where the call leaves x; the end level after the last one.
    const NoiseLevel& next() const {
        const auto after = static_cast<std::size_t>(call) + 1;
        return after < calls.size() ? calls[after] : levels.back();
    }
    bool last() const { return static_cast<std::size_t>(call) + 1 == calls.size(); }
};

struct SamplerInfo {
    std::string name;                     // "dpmpp_2m"
    std::string title;                    // "DPM++ 2M"
    std::string source;                   // paper
    std::string schedule = "leading";     // what its authors or users pair it with
    bool stochastic = false;              // draws noise while it samples
    bool drop_last = false;               // see ScheduleOptions
    bool tools_drop_last = false;         // the same in ComfyUI and A1111
    bool whole_timesteps = false;
    EndLevel end = EndLevel::Clean;
};

class Sampler {
public:
    virtual ~Sampler() = default;
    virtual SamplerInfo info() const = 0;
    // The levels at which the network is called: all but the end, unless a sampler calls twice a step, there or at a level of its own.
    virtual NoiseLevels calls(const NoiseLevels& levels, const NoiseTable&, const SamplerOptions&) const { return {levels.begin(), levels.end() - 1}; }
    virtual SamplerState step(const SamplerStep& at, const SamplerState& state, const Prediction& predicted) const = 0;
};

// Sorted by name.
const std::vector<const Sampler*>& samplers();
// Throws Error{InvalidGraph}, naming those there are.
const Sampler& find_sampler(const std::string& name);
void add_sampler(std::unique_ptr<Sampler> sampler);

// --- for samplers ---

// x at the level `to`, of the picture and the noise.
gpu::Tensor at_level(const NoiseLevel& to, const Prediction& predicted);
// Where DDIM and PNDM go from `from`: T / N timesteps back, as their papers have it, wherever the next call may be. In a part of a
// schedule (whole_steps) N counts all its steps, and where the stride misses the next level by more than rounding, as in schedules
// of sigmas, it is that level.
NoiseLevel stride_back(const SamplerStep& at, const NoiseLevel& from, const NoiseLevel& next);
// A level between those of the schedule, for Sampler::calls.
NoiseLevel inner_level(const NoiseTable& table, double sigma, const SamplerOptions& options);
// k-diffusion's ancestral step from one sigma to a lower one: to `kept` along the curve, `fresh` noise on top.
struct AncestralSplit {
    double kept, fresh;
};
AncestralSplit ancestral_split(double from, double to, double eta);
// `added` to a history that keeps at most `length`, newest first.
gpu::Tensors remember(const gpu::Tensor& added, const gpu::Tensors& history, std::size_t length);

}  // namespace nodes

// The build collects these lines (packaging/cmake/generate.cmake).
#define REGISTER_SAMPLER(stem, Class) \
    namespace sampler {               \
    void register_##stem() { nodes::add_sampler(std::make_unique<Class>()); } \
    }
