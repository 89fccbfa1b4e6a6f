// Everything that evaluation keeps for one device: plans, the arena that they share, copies of leaves. evaluate() uses
// the engine of Device::current(); others may be made beside it, one a device, and run in parallel.
//
// When memory lacks, a run is tried again one rung lower. Each rung is told of once a plan, as a warning:
//   free caches        other plans, kept blocks and the arena go
//   evict weights      all copies of leaves go; those of this plan come back as they are used
//   stream weights     the plan runs in parts, and only the weights of this part and the next are on the device
//   chunks             large values between products are computed by rows or pictures, where that can be, and never whole
//   values one by one  no arena: every value has a buffer of its own while it lives, every step is a part
//   spill values       results of earlier evaluations move to the host (where memory is not unified)
//   host memory        what finds no room lies in host memory, which shaders reach slowly (where memory is not unified)
// After the last Error{OutOfMemory} names need and budget.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>

#include "gpu/graph/graph_lock.h"
#include "gpu/plan/program.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/plan_runner.h"
#include "gpu/run/residency.h"
#include "gpu/run/tune.h"
#include "gpu/vulkan/device.h"

namespace gpu {

class Engine {
public:
    explicit Engine(std::shared_ptr<Device> device);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // As the functions of run/evaluate.h, on this engine's device. Thread-safe. After a lost device every call throws
    // Error{DeviceLost}: open the device again and make a new engine.
    void evaluate(const Tensors& tensors, const Tensors& donated = {});
    MemoryForecast forecast(const Tensors& tensors, const Tensors& donated = {});
    PlanCost plan_cost(const Tensors& tensors);
    EvaluationCounters counters() const;

    const std::shared_ptr<Device>& device() const { return device_; }

private:
    enum class Rung { Plain, FreeCaches, EvictWeights, StreamWeights, Chunks, OneByOne, SpillValues, HostMemory };
    struct Plan {
        std::unique_ptr<PlanRunner> runner;
        std::list<Hash>::iterator place;
        std::set<Rung> told;
    };
    using Plans = std::unordered_map<Hash, Plan>;

    Tensors missing_of(const Tensors& tensors) const;
    void run(const Tensors& outputs, const Tensors& donated = {});
    // `walk` is held since the graph was collected, and let go of when it is not needed any more.
    Plan& plan_for(const TensorGraph& graph, const Hash& key, std::optional<GraphLock>& walk);
    Hash key_of(const TensorGraph& graph) const;
    void forget(Plans::iterator plan);

    // memory_ladder.cpp
    std::vector<StorageRef> run_within_memory(const Hash& key, Plan& plan, const TensorGraph& graph);
    std::vector<StorageRef> run_on_rungs(Rung rung, const Hash& key, Plan& plan, const TensorGraph& graph, const MemoryForecast& need);
    std::optional<TensorGraph> chunked(const TensorGraph& graph, const Hash& key, Plan& plan, const MemoryForecast& need);
    std::vector<StorageRef> attempt(Rung rung, Plan& plan, const TensorGraph& graph);
    void retreat_to(Rung rung, const Hash& key, Plan& plan, const MemoryForecast& need);
    Rung first_rung(const MemoryForecast& need) const;
    std::vector<StepRange> ranges_for(Rung rung, const PlanRunner& runner) const;
    MemoryForecast forecast_of(const PlanRunner& runner, const TensorGraph* graph) const;

    // checks.cpp
    void check_each(const Tensors& outputs);
    void check_caches(const Tensors& outputs, const std::vector<StorageRef>& values);

    mutable std::mutex mutex_;
    std::shared_ptr<Device> device_;
    DeviceRate rate_;
    Residency residency_;
    Tuner tuner_;
    Plans plans_;
    std::list<Hash> recent_;   // keys of plans_, least recently used first
    BufferRef arena_;
    EvaluationCounters counters_;
};

}  // namespace gpu
