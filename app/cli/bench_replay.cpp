// heddle bench replay: what the host does in a replayed step of sampling, beside waiting for the device and host kernels.
// A made-up network of about 300 steps; the noise level changes from step to step, as in sampling.
#include "app/cli/bench.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/vulkan/device.h"

namespace app {
namespace {

gpu::Tensor network(const gpu::Tensor& x, const std::vector<gpu::Tensor>& weights, double sigma) {
    gpu::Tensor h = x * (1 / (1 + sigma));
    for (const gpu::Tensor& w : weights) h = h + gpu::conv2d(gpu::silu(gpu::group_norm(h, 32, {}, {})), w, {.pad = 1}) * 0.25;
    return x + h * -sigma;
}

}  // namespace

int bench_replay(const Arguments& arguments, int repeats) {
    constexpr int blocks = 100, channels = 64, side = 32;
    std::vector<gpu::Tensor> weights;
    for (int i = 0; i < blocks; ++i) weights.push_back(bench_noise({channels, channels, 3, 3}, static_cast<unsigned>(i)) * 0.05);
    gpu::Tensor x = bench_map({1, channels, side, side}, 99);
    gpu::evaluate(weights);
    auto step = [&, n = 0]() mutable { gpu::evaluate({x = network(x, weights, 1.0 / (2 + n++ % 20))}); };
    for (int i = 0; i < 3; ++i) step();
    const gpu::PlanCost cost = gpu::plan_cost({network(x, weights, 0.5)});
    const gpu::EvaluationCounters before = gpu::evaluation_counters();
    const BenchTiming time = bench_time(step, repeats);
    const gpu::EvaluationCounters after = gpu::evaluation_counters();
    const auto each = [&](std::uint64_t gpu::EvaluationCounters::*count) {
        return static_cast<double>(after.*count - before.*count) / static_cast<double>(after.evaluations - before.evaluations);
    };
    return print_bench_row(arguments, {{"name", "replay"},
                                       {"device", QString::fromStdString(gpu::Device::current().caps().name)},
                                       {"steps", static_cast<double>(cost.steps)},
                                       {"host_kernels", static_cast<double>(cost.host_kernels)},
                                       {"median_ms", time.median * 1e3},
                                       {"host_work_ms", time.host * 1e3},
                                       {"host_share_percent", time.host_share_percent()},
                                       {"submissions", each(&gpu::EvaluationCounters::submissions)},
                                       {"recorded_lists", each(&gpu::EvaluationCounters::recordings)},
                                       {"recorded_dispatches", each(&gpu::EvaluationCounters::recorded)},
                                       {"plan_hits", each(&gpu::EvaluationCounters::plan_hits)}});
}

}  // namespace app
