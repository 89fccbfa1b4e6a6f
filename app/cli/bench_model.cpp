// heddle bench model: architectures with empty weights (zeros that take no memory of their own), so that no file is needed.
#include <algorithm>
#include <cstdlib>
#include <functional>

#include "app/cli/bench.h"
#include "gpu/base/error.h"
#include "gpu/nn/scope.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/vulkan/device.h"
#include "nodes/models/taesd/taesd.h"

namespace app {
namespace {

// `make` builds the model; the function it returns makes the result for a picture of `side` x `side` pixels, a new
// expression each time.
struct ModelBench {
    const char* name;
    std::function<std::function<gpu::Tensor(const gpu::Tensor&)>(const gpu::Scope&)> make;
    std::int64_t channels, shrink;   // of the input: [1, channels, side / shrink, side / shrink]
};

const ModelBench models[] = {
    {"taesd_encoder", [](const gpu::Scope& s) { return [m = nodes::TaesdEncoder(s, 64, 4, false)](const gpu::Tensor& x) { return m(x); }; }, 3, 1},
    {"taesd_decoder", [](const gpu::Scope& s) { return [m = nodes::TaesdDecoder(s, 64, 4, false)](const gpu::Tensor& x) { return m(x); }; }, 4, 8},
};

int bench_one(const ModelBench& model, const Arguments& arguments, int repeats) {
    const int side = std::clamp(std::atoi(arguments.value("--size").value_or("512").c_str()) / 8 * 8, 8, 8192);
    const gpu::Scope scope = gpu::Scope::empty();
    const auto run = model.make(scope);
    double parameters = 0;
    for (const gpu::Scope::Asked& asked : scope.asked()) parameters += static_cast<double>(gpu::element_count(asked.shape));
    const gpu::Tensor x = bench_map({1, model.channels, side / model.shrink, side / model.shrink}, 1);
    gpu::evaluate({x});
    const gpu::MemoryForecast need = gpu::forecast({run(x)});
    const gpu::PlanCost cost = gpu::plan_cost({run(x)});
    gpu::Device& device = gpu::Device::current();
    device.reset_peak();
    const BenchTiming time = bench_time([&] { gpu::evaluate({run(x)}); }, repeats);
    return print_bench_row(arguments, {{"name", "model"},
                                       {"model", model.name},
                                       {"side", side},
                                       {"device", QString::fromStdString(device.caps().name)},
                                       {"median_ms", time.median * 1e3},
                                       {"p90_ms", time.p90 * 1e3},
                                       {"host_share_percent", time.host_share_percent()},
                                       {"parameters", parameters},
                                       {"steps", static_cast<double>(cost.steps)},
                                       {"host_kernels", static_cast<double>(cost.host_kernels)},
                                       {"gflop", cost.flop * 1e-9},
                                       {"gflop_per_s", cost.flop / time.median * 1e-9},
                                       {"predicted_peak_bytes", static_cast<double>(need.peak)},
                                       {"peak_bytes", static_cast<double>(device.memory_use().peak)}});
}

}  // namespace

int bench_model(const Arguments& arguments, int repeats) {
    const auto& names = arguments.positionals();
    std::string known;
    for (const ModelBench& model : models) known += std::string(known.empty() ? "" : ", ") + model.name;
    for (std::size_t i = 1; i < names.size(); ++i)
        gpu::check(std::any_of(std::begin(models), std::end(models), [&](const ModelBench& model) { return model.name == names[i]; }),
                   gpu::ErrorCode::Usage, "bench model: expected {}, got \"{}\"", known, names[i]);
    for (const ModelBench& model : models)   // no name: all
        if (names.size() == 1 || std::find(names.begin() + 1, names.end(), model.name) != names.end()) bench_one(model, arguments, repeats);
    return 0;
}

}  // namespace app
