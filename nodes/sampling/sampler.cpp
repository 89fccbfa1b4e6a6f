#include "nodes/sampling/sampler.h"

#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/ops.h"

namespace sampler {
void register_all();
}

namespace nodes {
namespace {

std::vector<std::unique_ptr<Sampler>>& owned() {
    static std::vector<std::unique_ptr<Sampler>> rows;
    return rows;
}

}  // namespace

void add_sampler(std::unique_ptr<Sampler> sampler) { owned().push_back(std::move(sampler)); }

const std::vector<const Sampler*>& samplers() {
    static const std::vector<const Sampler*> all = [] {
        sampler::register_all();
        std::vector<const Sampler*> rows;
        for (const auto& one : owned()) rows.push_back(one.get());
        std::sort(rows.begin(), rows.end(), [](auto a, auto b) { return a->info().name < b->info().name; });
        return rows;
    }();
    return all;
}

const Sampler& find_sampler(const std::string& name) {
    std::string known;
    for (const Sampler* one : samplers()) {
        if (one->info().name == name) return *one;
        known += (known.empty() ? "" : ", ") + one->info().name;
    }
    throw gpu::Error(gpu::ErrorCode::InvalidGraph, "sampler: expected one of {}, got '{}'", known, name);
}

gpu::Tensor at_level(const NoiseLevel& to, const Prediction& predicted) {
    // At the end too, where no noise is left: one expression for all steps is one plan.
    return predicted.x0 * to.signal + predicted.epsilon * to.noise;
}

NoiseLevel stride_back(const SamplerStep& at, const NoiseLevel& from, const NoiseLevel& next) {
    const int steps = at.whole_steps > 0 ? at.whole_steps : static_cast<int>(at.levels.size()) - 1;
    const int to = static_cast<int>(from.timestep) - at.table.count() / steps;
    if (at.whole_steps > 0 && std::abs(next.timestep - std::max(to, -1)) > 1) return next;
    return to >= 0 ? at.table.level(to) : at.levels.back();
}

NoiseLevel inner_level(const NoiseTable& table, double sigma, const SamplerOptions& options) {
    const double timestep = table.timestep_of(sigma);
    return level_of_sigma(options.whole_timesteps ? std::nearbyint(timestep) : timestep, sigma);
}

AncestralSplit ancestral_split(double from, double to, double eta) {
    const double fresh = std::min(to, eta * std::sqrt(std::max(to * to * (from * from - to * to), 0.0)) / from);
    return {std::sqrt(std::max(to * to - fresh * fresh, 0.0)), fresh};
}

gpu::Tensors remember(const gpu::Tensor& added, const gpu::Tensors& history, std::size_t length) {
    gpu::Tensors kept{added};
    for (const gpu::Tensor& one : history)
        if (kept.size() < length) kept.push_back(one);
    return kept;
}

}  // namespace nodes
