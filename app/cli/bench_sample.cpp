// heddle bench sample: the sampling loop over a published UNet with empty weights, guided, and what of a step is not the network.
#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "app/cli/bench.h"
#include "gpu/run/evaluate.h"
#include "gpu/vulkan/device.h"
#include "nodes/models/diffusion/loop.h"
#include "nodes/models/unet/unet.h"

namespace app {
namespace {

// Zeros that take no memory, and say nothing of files.
struct EmptyUnet final : nodes::DiffusionModel {
    explicit EmptyUnet(const nodes::UnetConfig& config)
        : given(nodes::unet_info(config)), network(std::make_shared<nodes::UnetNetwork>(gpu::Scope::empty(gpu::Dtype::F32), config)) {}
    nodes::ModelInfo given;
    std::shared_ptr<const nodes::UnetNetwork> network;
    gpu::Weights none;

    const nodes::ModelInfo& info() const override { return given; }
    const gpu::Weights& weights() const override { return none; }
    std::string summary() const override { return "an empty UNet"; }
    std::shared_ptr<const nodes::Denoiser> build(const nodes::Patches&) const override {
        struct Network final : nodes::Denoiser {
            std::shared_ptr<const nodes::UnetNetwork> network;
            gpu::Tensor operator()(const nodes::DenoiserInput& input) const override { return (*network)(input); }
        };
        auto made = std::make_shared<Network>();
        made->network = network;
        return made;
    }
};

}  // namespace

int bench_sample(const Arguments& arguments, int repeats) {
    const std::string name = arguments.positionals().size() > 1 ? arguments.positionals()[1] : "sd15";
    const int side = std::clamp(std::atoi(arguments.value("--size").value_or("256").c_str()) / 64 * 64, 64, 4096);
    const nodes::UnetConfig config = nodes::published_unet(name);
    const nodes::Model model(std::make_shared<const EmptyUnet>(config));
    const nodes::Sampling sampling = nodes::make_sampling(model.info(), {.sampler = "euler", .steps = repeats + 2});
    nodes::Conditioning positive, negative;
    for (nodes::Conditioning* one : {&positive, &negative}) {
        nodes::ConditioningEntry entry;
        entry.context = bench_noise({1, 77, config.context_width}, one == &positive ? 1 : 2);
        if (config.pooled_width > 0) entry.pooled = bench_noise({1, config.pooled_width}, 3);
        one->entries.push_back(entry);
    }
    const nodes::Latent start = nodes::make_latent(gpu::zeros({1, config.out_channels, side / 8, side / 8}), model.info().latent);
    nodes::SamplingState state = nodes::begin_sampling(sampling, model.info(), start, {.seed = 1});
    gpu::evaluate(nodes::tensors_of(state));

    // The first two steps plan and record.
    std::vector<double> steps, expressions;
    gpu::EvaluationCounters warm{};
    for (int call = 0; call < sampling.steps(); ++call) {
        if (call == 2) warm = gpu::evaluation_counters();
        const auto begun = std::chrono::steady_clock::now();
        const nodes::Predictions predictions = nodes::predict_step(model, sampling, state, positive, &negative, 7.5);
        state = nodes::blend({}, sampling, nodes::take_step(sampling, predictions.state, nodes::combine({}, sampling, predictions, 7.5)));
        const auto built = std::chrono::steady_clock::now();
        gpu::evaluate(nodes::tensors_of(state));
        const auto done = std::chrono::steady_clock::now();
        if (call < 2) continue;
        expressions.push_back(std::chrono::duration<double>(built - begun).count());
        steps.push_back(std::chrono::duration<double>(done - begun).count());
    }
    const gpu::EvaluationCounters end = gpu::evaluation_counters();
    std::sort(steps.begin(), steps.end());
    std::sort(expressions.begin(), expressions.end());
    return print_bench_row(arguments, {{"name", "sample"},
                                       {"model", QString::fromStdString(name)},
                                       {"side", side},
                                       {"device", QString::fromStdString(gpu::Device::current().caps().name)},
                                       {"step_ms", steps[steps.size() / 2] * 1e3},
                                       {"p90_ms", steps[steps.size() * 9 / 10] * 1e3},
                                       {"expression_ms", expressions[expressions.size() / 2] * 1e3},
                                       {"evaluations", static_cast<double>(end.evaluations - warm.evaluations)},
                                       {"plans_made", static_cast<double>(end.plans_made - warm.plans_made)},
                                       {"recordings", static_cast<double>(end.recordings - warm.recordings)},
                                       {"replays", static_cast<double>(end.replays - warm.replays)}});
}

}  // namespace app
