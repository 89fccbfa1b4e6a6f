// heddle bench replay: what the host does in a replayed step of sampling, beside waiting for the device and host kernels.
// A made-up network of about 300 steps; the noise level changes from step to step, as in sampling.
#include <algorithm>
#include <chrono>

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
    std::vector<double> wall, host;   // seconds of each step; `host`: neither waiting nor in host kernels
    for (int i = 0; i < repeats; ++i) {
        const gpu::EvaluationCounters a = gpu::evaluation_counters();
        const auto start = std::chrono::steady_clock::now();
        step();
        wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        const gpu::EvaluationCounters b = gpu::evaluation_counters();
        host.push_back(wall.back() - 1e-9 * static_cast<double>(b.wait_ns - a.wait_ns + b.host_kernel_ns - a.host_kernel_ns));
    }
    const gpu::EvaluationCounters after = gpu::evaluation_counters();
    std::sort(wall.begin(), wall.end());
    std::sort(host.begin(), host.end());
    const double median = wall[wall.size() / 2], own = host[host.size() / 2];
    const auto each = [&](std::uint64_t gpu::EvaluationCounters::*count) { return static_cast<double>(after.*count - before.*count) / repeats; };
    return print_bench_row(arguments, {{"name", "replay"},
                                       {"device", QString::fromStdString(gpu::Device::current().caps().name)},
                                       {"steps", static_cast<double>(cost.steps)},
                                       {"host_kernels", static_cast<double>(cost.host_kernels)},
                                       {"median_ms", median * 1e3},
                                       {"host_work_ms", own * 1e3},
                                       {"host_share_percent", own / median * 100},
                                       {"submissions", each(&gpu::EvaluationCounters::submissions)},
                                       {"recorded_lists", each(&gpu::EvaluationCounters::recordings)},
                                       {"plan_hits", each(&gpu::EvaluationCounters::plan_hits)}});
}

}  // namespace app
