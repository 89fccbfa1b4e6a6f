// A diffusion model whose every answer is known: pictures of one Gaussian around the mean of their context, with the exact
// denoiser. It notes how it was called.
#pragma once

#include <cmath>
#include <memory>
#include <mutex>
#include <vector>

#include "gpu/ops.h"
#include "nodes/types/conditioning.h"
#include "nodes/types/model.h"

namespace tests {

using gpu::Tensor;

class GaussianModel final : public nodes::DiffusionModel {
public:
    // `spread` is the deviation of the pictures. `reach` adds that share of each row's mean to the output, which makes a part of a
    // picture differ from the same part of the whole.
    explicit GaussianModel(nodes::ModelInfo info = {}, double spread = 0.5, double reach = 0)
        : info_(std::move(info)), spread_(spread), reach_(reach), calls_(std::make_shared<std::vector<nodes::DenoiserInput>>()) {}

    const nodes::ModelInfo& info() const override { return info_; }
    const gpu::Weights& weights() const override { return weights_; }
    std::string summary() const override { return "a Gaussian"; }
    std::shared_ptr<const nodes::Denoiser> build(const nodes::Patches& patches) const override {
        return std::make_shared<const Exact>(*this, nodes::of_kind<nodes::TokenPatch>(patches));
    }

    const std::vector<nodes::DenoiserInput>& calls() const { return *calls_; }
    void forget() const { calls_->clear(); }

    // Where the probability flow leads x of a level: (x - signal m) / deviation(level) stays what it is.
    Tensor flowed(const Tensor& x, const nodes::NoiseLevel& from, const nodes::NoiseLevel& to, double mean) const {
        return (x - from.signal * mean) * (deviation(to) / deviation(from)) + to.signal * mean;
    }
    double deviation(const nodes::NoiseLevel& level) const { return std::hypot(level.signal * spread_, level.noise); }

private:
    struct Exact final : nodes::Denoiser {
        Exact(const GaussianModel& model, std::vector<const nodes::TokenPatch*> tokens)
            : info(model.info_), spread(model.spread_), reach(model.reach_), calls(model.calls_), tokens(std::move(tokens)) {}
        nodes::ModelInfo info;
        double spread, reach;
        std::shared_ptr<std::vector<nodes::DenoiserInput>> calls;
        std::vector<const nodes::TokenPatch*> tokens;

        Tensor operator()(const nodes::DenoiserInput& in) const override {
            calls->push_back(in);
            Tensor context = in.context;
            for (const nodes::TokenPatch* patch : tokens) context = patch->context(in, context);
            const double a = in.at.level.signal, s = in.at.level.noise;
            Tensor m = gpu::unsqueeze(gpu::mean(context, {1, 2}), {3});                   // [B, 1, 1, 1]
            if (in.pooled) m = m + gpu::reshape(gpu::mean(in.pooled, {1}), m.shape());
            const Tensor x0 = m + (in.latent - m * a) * (a * spread * spread / (a * a * spread * spread + s * s));
            const Tensor output = nodes::output_for(info.prediction, x0, in.latent, in.at.level);
            return reach == 0 ? output : output + gpu::mean(in.latent, {1, 2, 3}) * reach;
        }
    };

    nodes::ModelInfo info_;
    double spread_, reach_;
    gpu::Weights weights_;
    std::shared_ptr<std::vector<nodes::DenoiserInput>> calls_;
};

// `length` tokens of 4 numbers, all `value`.
inline nodes::Conditioning constant_prompt(double value, std::int64_t length = 3) {
    nodes::ConditioningEntry entry;
    entry.context = gpu::tensor(std::vector<float>(static_cast<std::size_t>(length * 4), static_cast<float>(value)), {1, length, 4});
    return {{entry}};
}

inline nodes::ModelInfo gaussian_info(nodes::PredictionType type = nodes::PredictionType::Epsilon, bool zero_snr = false) {
    nodes::ModelInfo info;
    info.family = "pico";
    info.prediction = type;
    info.noise.zero_terminal_snr = zero_snr;
    info.latent = nodes::latent_format("sd1", 4);
    info.context_width = 4;
    return info;
}

}  // namespace tests
