// HEDDLE_CHECK: values computed a second time, in another way.
#include "gpu/base/error.h"
#include "gpu/base/switches.h"
#include "gpu/run/engine.h"
#include "gpu/run/oracle.h"
#include "gpu/run/traits.h"

namespace gpu {

// oracle: every kernel op alone against its composite in double precision.
void Engine::check_each(const Tensors& outputs) {
    Tensors nodes;      // held, as a node that gets its value lets go of its inputs
    {
        const GraphLock walk;
        for (const Tensor* const node : collect(outputs).nodes) nodes.push_back(*node);
    }
    for (const Tensor& node : nodes) {
        if (node.value() || !node.op()) continue;
        const Tensors inputs = node.inputs();
        const std::string place = node.op()->text() + " " + to_string(node.spec());
        if (node.op()->kind() != OpKind::Kernel || node.element_count() > (1 << 20)) {
            run({node});
            continue;
        }
        const std::vector<double> expected = oracle_of(*node.op(), inputs);
        run({node});
        const double error = relative_error(read_doubles(node.value()), expected);
        check(error < 1e-3, ErrorCode::Numeric, "{}: differs from its composite by {} (relative L2)", place, error);
    }
}

// cache: what a cached plan and its recorded lists gave, against a plan made for this once.
void Engine::check_caches(const Tensors& outputs, const std::vector<StorageRef>& values) {
    std::optional<GraphLock> walk(std::in_place);
    const TensorGraph graph = collect(outputs);
    Program program = make_plan(graph, traits_of(device_->caps()), switches().fuse);
    walk.reset();
    Plan fresh{std::make_unique<PlanRunner>(device_, std::move(program), rate_), {}, {}};
    const std::vector<StorageRef> again = run_within_memory(key_of(graph), fresh, graph);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double error = relative_error(read_doubles(values[i]), read_doubles(again[i]));
        check(error < 1e-6, ErrorCode::Numeric, "evaluate {}: the cached plan gives other values than a new one, off by {} (relative L2)",
              to_string(values[i]->spec), error);
    }
}

}  // namespace gpu
