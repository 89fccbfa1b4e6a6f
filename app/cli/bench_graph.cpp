// heddle bench graph: a saved graph, run again and again, every node of it: files are read each time.
#include "app/cli/bench.h"
#include "app/cli/graph_options.h"
#include "gpu/base/error.h"
#include "gpu/run/evaluate.h"
#include "gpu/vulkan/device.h"
#include "nodes/core/executor.h"

namespace app {

int bench_graph(const Arguments& arguments, int repeats) {
    const auto& positionals = arguments.positionals();
    gpu::check(positionals.size() == 2, gpu::ErrorCode::Usage, "bench graph: expected a GRAPH, got {} arguments", positionals.size() - 1);
    const nodes::Document document = load_graph(positionals[1]);
    nodes::RunOptions options;   // no cache: every node computes
    const auto run = [&] {
        const nodes::RunResult result = nodes::run(document, options);
        if (result.exit_code() == 0) return;
        const std::string why = !result.failures.empty() ? result.failures[0].text()
                                : !result.problems.empty() ? result.problems[0].message : nodes::to_string(result.status);
        throw gpu::Error(gpu::ErrorCode::Failure, "bench graph {}: expected a run to its end, got {}", positionals[1], why);
    };
    const gpu::EvaluationCounters before = gpu::evaluation_counters();
    const BenchTiming time = bench_time(run, repeats);
    const gpu::EvaluationCounters after = gpu::evaluation_counters();
    const double runs = repeats + 2;   // two to warm up
    const auto each = [&](std::uint64_t gpu::EvaluationCounters::*count) { return static_cast<double>(after.*count - before.*count) / runs; };
    gpu::Device& device = gpu::Device::current();
    return print_bench_row(arguments, {{"name", "graph"},
                                       {"graph", QString::fromStdString(positionals[1])},
                                       {"device", QString::fromStdString(device.caps().name)},
                                       {"median_ms", time.median * 1e3},
                                       {"p90_ms", time.p90 * 1e3},
                                       {"evaluations", each(&gpu::EvaluationCounters::evaluations)},
                                       {"plans_made", static_cast<double>(after.plans_made - before.plans_made)},
                                       {"submissions", each(&gpu::EvaluationCounters::submissions)},
                                       {"dispatches", each(&gpu::EvaluationCounters::dispatches)},
                                       {"host_kernels", each(&gpu::EvaluationCounters::host_kernels)},
                                       {"peak_bytes", static_cast<double>(device.memory_use().peak)}});
}

}  // namespace app
