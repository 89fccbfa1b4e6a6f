// HEDDLE_CHECK: values computed a second time, in another way.
#include "gpu/base/error.h"
#include "gpu/base/switches.h"
#include "gpu/run/engine.h"
#include "gpu/run/oracle.h"

namespace gpu {

// oracle: every kernel op alone against its composite in double precision.
void Engine::check_each(const Tensors& outputs) {
    const TensorGraph graph = collect(outputs);
    for (const Tensor& node : graph.nodes) {
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
void Engine::check_caches(const TensorGraph& graph, const std::vector<StorageRef>& values) {
    const Program& known = plans_.at(key_of(graph)).runner->program();
    Plan fresh{std::make_unique<PlanRunner>(device_, make_plan(graph, known.traits, known.fuse), rate_), {}, {}};
    const std::vector<StorageRef> again = run_within_memory(key_of(graph), fresh, graph);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double error = relative_error(read_doubles(values[i]), read_doubles(again[i]));
        check(error < 1e-6, ErrorCode::Numeric, "evaluate {}: the cached plan gives other values than a new one, off by {} (relative L2)",
              to_string(values[i]->spec), error);
    }
}

}  // namespace gpu
