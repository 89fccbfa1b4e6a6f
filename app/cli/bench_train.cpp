// heddle bench train: whole training steps of a small UNet, the network of tests/bench/train_torch.py.
#include <algorithm>
#include <cstdlib>

#include "app/cli/bench.h"
#include "gpu/nn/small_unet.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/train/trainer.h"
#include "gpu/vulkan/device.h"

namespace app {
namespace {

using gpu::Tensor;
using gpu::Tensors;

std::vector<gpu::train::Parameter> fresh_parameters(const gpu::nn::SmallUnetConfig& config) {
    const gpu::Scope names = gpu::Scope::shapes(), scope = gpu::Scope::random(1);
    gpu::nn::SmallUnet(names, config);
    std::vector<gpu::train::Parameter> parameters;
    for (const gpu::Scope::Asked& asked : names.asked()) {
        const bool scale = asked.name.find("norm") != std::string::npos && asked.name.ends_with("weight");
        const gpu::Scope::Init init{.bound = asked.shape.size() == 1 ? 0 : 0.03, .centre = scale ? 1.0 : 0.0};
        parameters.push_back({asked.name, scope.weight(asked.name, asked.shape, init), {.decay = asked.shape.size() == 1 ? 0.0 : 1.0}});
    }
    return parameters;
}

}  // namespace

int bench_train(const Arguments& arguments, int repeats) {
    const int batch = std::clamp(std::atoi(arguments.value("--batch").value_or("32").c_str()), 1, 4096);
    const gpu::nn::SmallUnetConfig config;
    std::vector<gpu::train::Parameter> parameters = fresh_parameters(config);
    double elements = 0;
    for (const gpu::train::Parameter& parameter : parameters) elements += static_cast<double>(parameter.value.element_count());
    gpu::train::Trainer trainer(std::move(parameters), {.schedule = {.rate = 1e-4}, .max_norm = 1, .ema = {.decay = 0.999}});
    const Tensors data{bench_map({batch, config.in, 16, 16}, 1), bench_noise({batch}, 2) * 500.0 + 500.0,
                       bench_noise({batch, 32, config.context}, 3), bench_map({batch, config.in, 16, 16}, 4)};
    gpu::evaluate(data);
    const auto loss = [&](const gpu::train::NamedTensors& weights, const Tensors& in) {
        const gpu::nn::SmallUnet unet(gpu::Scope::tensors(weights), config);
        return gpu::mean(gpu::square(unet(in[0], in[1], in[2]) - in[3]));
    };
    double last = 0;
    gpu::Device& device = gpu::Device::current();
    const gpu::EvaluationCounters before = gpu::evaluation_counters();
    const BenchTiming time = bench_time([&] { last = trainer.step(loss, {data}).loss; }, repeats);
    const gpu::EvaluationCounters after = gpu::evaluation_counters();
    const auto per_step = [&](std::uint64_t gpu::EvaluationCounters::*count) {
        return static_cast<double>(after.*count - before.*count) / static_cast<double>(trainer.step_count());
    };
    return print_bench_row(arguments, {{"name", "train"},
                                       {"batch", batch},
                                       {"parameters", elements},
                                       {"device", QString::fromStdString(device.caps().name)},
                                       {"median_ms", time.median * 1e3},
                                       {"p90_ms", time.p90 * 1e3},
                                       {"host_share_percent", time.host_share_percent()},
                                       {"pictures_per_s", batch / time.median},
                                       {"dispatches", per_step(&gpu::EvaluationCounters::dispatches)},
                                       {"recorded_dispatches", per_step(&gpu::EvaluationCounters::recorded)},
                                       {"host_kernels", per_step(&gpu::EvaluationCounters::host_kernels)},
                                       {"plans", static_cast<double>(after.plans_made - before.plans_made)},
                                       {"arena_bytes", static_cast<double>(after.arena_bytes)},
                                       {"loss", last}});
}

}  // namespace app
