#include "gpu/run/engine.h"

#include <algorithm>
#include <new>
#include <optional>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/span.h"
#include "gpu/base/switches.h"
#include "gpu/run/traits.h"

namespace gpu {
namespace {

constexpr std::size_t kept_plans = 256;

}  // namespace

Engine::Engine(std::shared_ptr<Device> device)
    : device_(std::move(device)), rate_(device_->caps()), residency_(device_), tuner_(device_, Tuner::may_measure(*device_)) {}

Engine::~Engine() = default;

Tensors Engine::missing_of(const Tensors& tensors) const {
    Tensors missing;
    for (const Tensor& tensor : tensors) {
        check(static_cast<bool>(tensor), ErrorCode::InvalidGraph, "evaluate: a tensor is empty");
        const auto same = [&](const Tensor& other) { return other.same_as(tensor); };
        if (!tensor.value() && std::none_of(missing.begin(), missing.end(), same)) missing.push_back(tensor);
    }
    return missing;
}

void Engine::evaluate(const Tensors& tensors, const Tensors& donated) {
    const std::lock_guard lock(mutex_);
    const Tensors missing = missing_of(tensors);
    if (missing.empty()) return;
    check_cancelled();
    check(!device_->lost(), ErrorCode::DeviceLost, "evaluate: expected {} to answer, it was lost earlier: open it again",
          device_->caps().name);
    try {
        if (switches().checks("oracle")) {
            check_each(missing);
        } else {
            run(missing, donated);
        }
        for (const Tensor& tensor : donated) drop_value(tensor);
    } catch (const std::bad_alloc&) {
        throw Error(ErrorCode::OutOfMemory, "evaluate: expected host memory for a command or a copy, the system has no more");
    }
}

MemoryForecast Engine::forecast(const Tensors& tensors, const Tensors& donated) {
    const std::lock_guard lock(mutex_);
    const Tensors missing = missing_of(tensors);
    if (missing.empty()) {
        const Device::MemoryUse use = device_->memory_use();
        return {.used = use.used + use.adopted, .peak = use.used + use.adopted, .budget = device_->budget()};
    }
    std::optional<GraphLock> walk(std::in_place);
    const TensorGraph graph = collect(missing, donated);
    residency_.evict(0);      // what nobody holds any more
    MemoryForecast need = forecast_of(*plan_for(graph, key_of(graph), walk).runner, &graph);
    if (need.streams) need.peak = std::min(need.peak, need.budget);
    return need;
}

PlanCost Engine::plan_cost(const Tensors& tensors) {
    const std::lock_guard lock(mutex_);
    PlanCost cost;
    const Tensors missing = missing_of(tensors);
    if (missing.empty()) return cost;
    std::optional<GraphLock> walk(std::in_place);
    const TensorGraph graph = collect(missing);
    const Program& program = plan_for(graph, key_of(graph), walk).runner->program();
    cost.steps = program.steps.size();
    for (const Step& step : program.steps) {
        cost.host_kernels += step.kind == Step::Host;
        cost.flop += step.flop;
        cost.bytes += step.bytes;
    }
    return cost;
}

EvaluationCounters Engine::counters() const {
    const std::lock_guard lock(mutex_);
    EvaluationCounters all = counters_;
    all.uploads = residency_.counters().uploads;
    all.evictions = residency_.counters().evictions;
    return all;
}

void Engine::run(const Tensors& outputs, const Tensors& donated) {
    Span span("run", "evaluate");
    const EvaluationCounters before = counters_;
    ++counters_.evaluations;
    std::optional<GraphLock> walk(std::in_place);
    const TensorGraph graph = collect(outputs, donated);
    const Hash key = key_of(graph);
    Plan& plan = plan_for(graph, key, walk);
    walk.reset();
    counters_.arena_bytes = plan.runner->program().arena_bytes;
    std::vector<StorageRef> values;
    try {
        values = run_within_memory(key, plan, graph);
    } catch (...) {
        if (plan.runner->wrote_over_leaves())
            for (const Tensor& tensor : donated) drop_value(tensor);
        throw;
    }
    if (switches().checks("cache") && counters_.plan_hits > before.plan_hits && donated.empty()) check_caches(outputs, values);
    for (std::size_t i = 0; i < outputs.size(); ++i) set_value(outputs[i], values[i]);
    if (tracing())
        span.detail(format("plan {}: {}, {} of {} lists recorded, {} dispatches, {} host kernels", key.hex().substr(0, 12),
                           counters_.plan_hits > before.plan_hits ? "cached" : "made", counters_.recordings - before.recordings,
                           counters_.submissions - before.submissions, counters_.dispatches - before.dispatches,
                           counters_.host_kernels - before.host_kernels));
}

Hash Engine::key_of(const TensorGraph& graph) const {
    const DeviceTraits traits = traits_of(device_->caps());
    return Hasher().add(graph.structure).add(traits.host_kernels).add(traits.storage16).add(traits.half_products).add(switches().fuse).add(switches().shader_dir).add(switches().variant).add(switches().tune).finish();
}

Engine::Plan& Engine::plan_for(const TensorGraph& graph, const Hash& key, std::optional<GraphLock>& walk) {
    const auto found = plans_.find(key);
    if (found != plans_.end() && switches().plan_cache) {
        ++counters_.plan_hits;
        recent_.splice(recent_.end(), recent_, found->second.place);
        return found->second;
    }
    ++counters_.plans_made;
    Program program = make_plan(graph, traits_of(device_->caps()), switches().fuse, tuner_.chooser());
    tuner_.report();
    walk.reset();   // pipelines take longer, and need no graph
    auto runner = std::make_unique<PlanRunner>(device_, std::move(program), rate_);
    if (switches().debug >= 1) {
        const MemoryForecast need = forecast_of(*runner, &graph);
        log_message("plan", LogLevel::Info,
                    format("{} on {}: {} steps, arena {} bytes, weights {}, results {}; peak {} of {}", key.hex().substr(0, 12),
                           device_->caps().name, runner->program().steps.size(), need.arena, need.weights, need.outputs, need.peak,
                           need.budget));
    }
    if (found != plans_.end()) forget(found);
    if (plans_.size() >= kept_plans) forget(plans_.find(recent_.front()));
    const auto place = recent_.insert(recent_.end(), key);
    return plans_[key] = {std::move(runner), place, {}};
}

void Engine::forget(Plans::iterator plan) {
    recent_.erase(plan->second.place);
    plans_.erase(plan);
}

}  // namespace gpu
