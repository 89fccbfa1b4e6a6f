// heddle bench unet: one evaluation of a published UNet with empty weights, beside this machine's own peak.
#include <algorithm>
#include <cstdlib>

#include "app/cli/bench.h"
#include "gpu/base/error.h"
#include "gpu/graph/autocast.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/vulkan/device.h"
#include "nodes/models/unet/unet.h"

namespace app {
namespace {

using gpu::Dtype;
using gpu::Tensor;

int bench_one(const std::string& name, Dtype stored, Dtype activations, int batch, int side, double peak, const Arguments& arguments, int repeats) {
    const nodes::UnetConfig config = nodes::published_unet(name);
    const gpu::Scope scope = gpu::Scope::empty(stored);
    const nodes::UnetNetwork unet(scope, config);
    const auto network = [&](const nodes::DenoiserInput& input) {
        const gpu::Autocast narrow(activations);
        return gpu::cast(unet(input), Dtype::F32);
    };
    double parameters = 0;
    for (const gpu::Scope::Asked& asked : scope.asked()) parameters += static_cast<double>(gpu::element_count(asked.shape));
    nodes::DenoiserInput input{.latent = bench_map({batch, config.in_channels, side / 8, side / 8}, 1),
                               .timestep = gpu::tensor(std::vector<float>(static_cast<std::size_t>(batch), 500.0F), {batch}),
                               .context = bench_noise({batch, 77, config.context_width}, 2)};
    if (config.pooled_width > 0) input.pooled = bench_noise({batch, config.pooled_width}, 3);
    if (config.size_ids() > 0) input.size_ids = bench_noise({batch, config.size_ids()}, 4);
    gpu::evaluate({input.latent});
    const gpu::MemoryForecast need = gpu::forecast({network(input)});
    const gpu::PlanCost cost = gpu::plan_cost({network(input)});
    gpu::Device& device = gpu::Device::current();
    device.reset_peak();
    // Another timestep each time, as a sampler has it: the same plan with new leaves.
    int step = 0;
    const BenchTiming time = bench_time([&] {
        input.timestep = gpu::tensor(std::vector<float>(static_cast<std::size_t>(batch), static_cast<float>(++step)), {batch});
        gpu::evaluate({network(input)});
    }, repeats);
    // Of that, what it takes to write the expression down.
    const BenchTiming build = bench_time([&] {
        input.timestep = gpu::tensor(std::vector<float>(static_cast<std::size_t>(batch), static_cast<float>(++step)), {batch});
        network(input);
    }, repeats);
    return print_bench_row(arguments, {{"name", "unet"},
                                       {"model", QString::fromStdString(name)},
                                       {"stored", type_word(stored)},
                                       {"activations", type_word(activations)},
                                       {"batch", batch},
                                       {"side", side},
                                       {"device", QString::fromStdString(device.caps().name)},
                                       {"median_ms", time.median * 1e3},
                                       {"p90_ms", time.p90 * 1e3},
                                       {"host_share_percent", time.host_share_percent()},
                                       {"expression_ms", build.median * 1e3},
                                       {"parameters", parameters},
                                       {"steps", static_cast<double>(cost.steps)},
                                       {"host_kernels", static_cast<double>(cost.host_kernels)},
                                       {"gflop", cost.flop * 1e-9},
                                       {"gflop_per_s", cost.flop / time.median * 1e-9},
                                       {"machine_gflop_per_s", peak},
                                       {"share_of_machine", cost.flop / time.median * 1e-9 / peak},
                                       {"predicted_peak_bytes", static_cast<double>(need.peak)},
                                       {"weight_bytes", static_cast<double>(need.weights)},
                                       {"arena_bytes", static_cast<double>(need.arena)},
                                       {"peak_bytes", static_cast<double>(device.memory_use().peak)}});
}

}  // namespace

int bench_unet(const Arguments& arguments, int repeats) {
    std::vector<std::string> names(arguments.positionals().begin() + 1, arguments.positionals().end());
    if (names.empty()) names.emplace_back("sd15");
    for (const std::string& name : names) nodes::published_unet(name);      // all are known before the first runs
    const int side = std::clamp(std::atoi(arguments.value("--size").value_or("256").c_str()) / 64 * 64, 64, 4096);
    std::vector<int> batches{1, 2};
    if (const auto given = arguments.value("--batch")) batches = {std::clamp(std::atoi(given->c_str()), 1, 64)};
    const std::vector<Dtype> types = bench_types(arguments);
    const Dtype activations = bench_type(arguments, "--activations");
    const double peak = bench_peaks(activations).gflops;
    for (const std::string& name : names)
        for (const Dtype type : types)
            for (const int batch : batches) bench_one(name, type, activations, batch, side, peak, arguments, repeats);
    return 0;
}

}  // namespace app
