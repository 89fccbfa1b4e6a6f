// heddle bench text: one prompt of 77 tokens through a published text tower of CLIP with empty weights, beside this machine's own peak.
#include <algorithm>
#include <cstdlib>

#include "app/cli/bench.h"
#include "gpu/base/error.h"
#include "gpu/run/evaluate.h"
#include "gpu/vulkan/device.h"
#include "nodes/models/clip/text.h"

namespace app {
namespace {

using gpu::Dtype;
using gpu::Tensor;

int bench_one(const std::string& name, Dtype stored, int batch, double peak, const Arguments& arguments, int repeats) {
    const nodes::ClipTextConfig config = nodes::published_clip_text(name);
    const gpu::Scope scope = gpu::Scope::empty(stored);
    const nodes::ClipText model(scope, config);
    double parameters = 0;
    for (const gpu::Scope::Asked& asked : scope.asked()) parameters += static_cast<double>(gpu::element_count(asked.shape));
    // Another prompt each time: the same plan with new leaves. The context is the penultimate state where a projection is read too.
    int prompt = 0;
    const auto outputs = [&] {
        ++prompt;
        std::vector<std::int32_t> ids(static_cast<std::size_t>(batch) * 77), ends(static_cast<std::size_t>(batch), 76);
        for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>((i * 7919 + static_cast<std::size_t>(prompt) * 104729) % 49407);
        const std::vector<Tensor> states = model.states(model.tokens(gpu::tensor_i32(ids, {batch, 77})));
        const Tensor last = model.normed(states.back());
        if (!model.can_project()) return gpu::Tensors{last};
        return gpu::Tensors{states[states.size() - 2], model.projected(model.pooled(last, gpu::tensor_i32(ends, {batch})))};
    };
    const gpu::PlanCost cost = gpu::plan_cost(outputs());
    gpu::Device& device = gpu::Device::current();
    device.reset_peak();
    const BenchTiming time = bench_time([&] { gpu::evaluate(outputs()); }, repeats);
    return print_bench_row(arguments, {{"name", "text"},
                                       {"model", QString::fromStdString(name)},
                                       {"stored", type_word(stored)},
                                       {"batch", batch},
                                       {"device", QString::fromStdString(device.caps().name)},
                                       {"median_ms", time.median * 1e3},
                                       {"p90_ms", time.p90 * 1e3},
                                       {"parameters", parameters},
                                       {"steps", static_cast<double>(cost.steps)},
                                       {"host_kernels", static_cast<double>(cost.host_kernels)},
                                       {"gflop", cost.flop * 1e-9},
                                       {"gflop_per_s", cost.flop / time.median * 1e-9},
                                       {"machine_gflop_per_s", peak},
                                       {"share_of_machine", cost.flop / time.median * 1e-9 / peak},
                                       {"peak_bytes", static_cast<double>(device.memory_use().peak)}});
}

}  // namespace

int bench_text(const Arguments& arguments, int repeats) {
    std::vector<std::string> names(arguments.positionals().begin() + 1, arguments.positionals().end());
    if (names.empty()) names.emplace_back("clip-l");
    for (const std::string& name : names) nodes::published_clip_text(name);      // all are known before the first runs
    const int batch = std::clamp(std::atoi(arguments.value("--batch").value_or("1").c_str()), 1, 64);
    const std::vector<Dtype> types = bench_types(arguments);
    const double peak = bench_peaks().gflops;
    for (const std::string& name : names)
        for (const Dtype type : types) bench_one(name, type, batch, peak, arguments, repeats);
    return 0;
}

}  // namespace app
