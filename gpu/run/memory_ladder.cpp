// Keeping a run within the device's memory, and what is done when it does not fit: see engine.h.
#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/run/chunks.h"
#include "gpu/run/engine.h"

namespace gpu {
namespace {

std::string mebibytes(std::uint64_t bytes) { return format("{} MiB", (bytes + (1 << 20) - 1) >> 20); }

}  // namespace

// `peak` is what a run without streaming takes, also where that is more than the budget. Without a graph: what it takes where none
// of its leaves are there yet.
MemoryForecast Engine::forecast_of(const PlanRunner& runner, const TensorGraph* graph) const {
    const Program& program = runner.program();
    const LeafUses& uses = runner.leaf_uses();
    const Device::MemoryUse use = device_->memory_use();
    MemoryForecast need{.used = use.used + use.adopted, .arena = program.arena_bytes, .outputs = program.output_bytes, .budget = device_->budget()};
    const auto leaf_of = [&](int leaf) -> StorageRef {
        const PlanLeaf& place = program.leaves[leaf];
        return place.external >= 0 ? graph->leaves[place.external] : place.owned;
    };
    std::uint64_t missing = 0, widened = 0;
    for (std::size_t u = 0; u < uses.all.size(); ++u) {
        if (uses.all[u].host_only) continue;
        need.weights += uses.all[u].bytes;
        if (!graph || !residency_.holds(leaf_of(uses.all[u].leaf), runner.key_of_use(u))) missing += uses.all[u].bytes;
    }
    for (const KeptCopy& kept : uses.kept) {
        if (!kept.optional) need.weights += kept.bytes;
        if (!graph || !residency_.has_packed(leaf_of(kept.leaf))) (kept.optional ? widened : missing) += kept.bytes;
    }
    const std::uint64_t held = arena_ ? arena_->size() : 0, more = need.arena > held ? need.arena - held : 0;
    need.peak = need.used + missing + need.outputs + more;
    need.peak += std::min(widened, need.budget - std::min(need.budget, need.peak));
    need.streams = first_rung(need) > Rung::EvictWeights;
    return need;
}

// The first rung whose need is within the budget, all copies of other plans' leaves being dropped as needed.
Engine::Rung Engine::first_rung(const MemoryForecast& need) const {
    if (need.peak <= need.budget) return Rung::Plain;
    const std::uint64_t evictable = std::min(residency_.evictable(), need.used), held = arena_ ? arena_->size() : 0;
    const std::uint64_t values = need.used - evictable - std::min(held, need.used - evictable);
    return values + need.weights + need.arena + need.outputs <= need.budget ? Rung::Plain : Rung::StreamWeights;
}

std::vector<StepRange> Engine::ranges_for(Rung rung, const PlanRunner& runner) const {
    const std::size_t steps = runner.program().steps.size();
    if (rung < Rung::StreamWeights || rung == Rung::HostMemory || steps < 2) return {{0, steps}};
    if (rung >= Rung::OneByOne) {
        std::vector<StepRange> ranges;
        for (std::size_t s = 0; s < steps; ++s) ranges.push_back({s, s + 1});
        return ranges;
    }
    // Half of what values leave free: the part that runs and the part that comes share it.
    const Device::MemoryUse use = device_->memory_use();
    const std::uint64_t evictable = residency_.evictable(), counted = use.used + use.adopted;
    const std::uint64_t taken = counted - std::min(evictable, counted) + runner.program().output_bytes;
    const std::uint64_t budget = device_->budget(), free = budget > taken ? budget - taken : 0;
    return cut_by_leaves(runner.program(), runner.leaf_uses(), free / 2);
}

std::vector<StorageRef> Engine::attempt(Rung rung, Plan& plan, const TensorGraph& graph) {
    const Program& program = plan.runner->program();
    residency_.keep_from_now();
    const bool arena = program.arena_bytes > 0 && (rung < Rung::OneByOne || rung == Rung::HostMemory);
    if (!arena) {
        if (rung >= Rung::OneByOne) arena_ = nullptr;
    } else if (program.arena_bytes > (arena_ ? arena_->size() : 0)) {
        arena_ = nullptr;   // give the old one back first
        arena_ = residency_.allocate(program.arena_bytes);
    }
    return plan.runner->run(graph.leaves, graph.scalars,
                            {residency_, arena ? arena_ : nullptr, ranges_for(rung, *plan.runner), rung < Rung::StreamWeights}, counters_);
}

std::vector<StorageRef> Engine::run_within_memory(const Hash& key, Plan& plan, const TensorGraph& graph) {
    MemoryForecast need = forecast_of(*plan.runner, nullptr);
    if (need.peak > need.budget) need = forecast_of(*plan.runner, &graph);      // mostly there is room, and no leaf is looked at
    if (need.peak > need.budget && residency_.evict(0) > 0) need = forecast_of(*plan.runner, &graph);      // what nobody holds any more
    const Rung rung = first_rung(need);
    if (rung > Rung::Plain) retreat_to(rung, key, plan, need);
    return run_on_rungs(rung, key, plan, graph, need);
}

// Values that take more than a good part of the budget are chunked, to an eighth of what a run may take: a graph needs room
// for several.
std::optional<TensorGraph> Engine::chunked(const TensorGraph& graph, const Hash& key, Plan& plan, const MemoryForecast& need) {
    const std::uint64_t weights = std::min(need.weights, need.budget / 2), large = std::min(need.budget - weights, need.peak) / 8;
    const Chunked chunks = in_chunks(graph.outputs, large);
    if (chunks.largest == 0) return {};
    ++counters_.retreats;
    if (plan.told.insert(Rung::Chunks).second)
        log("memory", LogLevel::Warning, "plan {} takes {} where the budget is {}: computes values of up to {} in up to {} chunks",
            key.hex().substr(0, 12), mebibytes(need.peak), mebibytes(need.budget), mebibytes(chunks.largest), chunks.chunks);
    return collect(chunks.outputs);
}

std::vector<StorageRef> Engine::run_on_rungs(Rung rung, const Hash& key, Plan& plan, const TensorGraph& graph, const MemoryForecast& need) {
    for (;;) {
        try {
            std::vector<StorageRef> values = attempt(rung, plan, graph);
            residency_.use_host_memory(false);
            return values;
        } catch (const Error& error) {
            residency_.use_host_memory(false);
            // What runs still writes into the arena.
            if (!device_->lost()) device_->wait_idle();
            if (error.code() != ErrorCode::OutOfMemory || plan.runner->wrote_over_leaves()) throw;
            const Rung last = device_->caps().unified_memory ? Rung::OneByOne : Rung::HostMemory;
            if (rung == last)
                throw Error(ErrorCode::OutOfMemory,
                            "evaluate on {}: expected {} within a budget of {} (values between steps {}, weights {}, results {}, in use "
                            "before {}), every retreat failed: {}",
                            device_->caps().name, mebibytes(need.peak), mebibytes(need.budget), mebibytes(need.arena),
                            mebibytes(need.weights), mebibytes(need.outputs), mebibytes(need.used), error.message());
            rung = static_cast<Rung>(static_cast<int>(rung) + 1);
            if (rung == Rung::Chunks) {
                std::optional<GraphLock> walk(std::in_place);
                if (const auto other = chunked(graph, key, plan, need)) {   // the same outputs: what is left of the ladder is theirs
                    const Hash other_key = key_of(*other);
                    Plan& other_plan = plan_for(*other, other_key, walk);
                    walk.reset();
                    return run_on_rungs(rung, other_key, other_plan, *other, need);
                }
                rung = Rung::OneByOne;
            }
            retreat_to(rung, key, plan, need);
        }
    }
}

void Engine::retreat_to(Rung rung, const Hash& key, Plan& plan, const MemoryForecast& need) {
    ++counters_.retreats;
    std::string done;
    switch (rung) {
        case Rung::Plain: return;
        case Rung::FreeCaches: {
            const std::uint64_t before = device_->memory_use().reserved;
            arena_ = nullptr;
            for (auto other = plans_.begin(); other != plans_.end();) {
                const auto next = std::next(other);
                if (&other->second != &plan) forget(other);
                other = next;
            }
            device_->trim();
            done = format("freed caches ({})", mebibytes(before - std::min(before, device_->memory_use().reserved)));
            break;
        }
        case Rung::EvictWeights:
            residency_.keep_from_now();
            done = format("dropped all weights ({})", mebibytes(residency_.evict(~0ull)));
            device_->trim();
            break;
        case Rung::StreamWeights: done = "streams the weights in parts"; break;
        case Rung::Chunks: return;   // another plan: chunked()
        case Rung::OneByOne:
            arena_ = nullptr;
            device_->trim();
            done = "runs step by step, with a buffer for each value while it lives";
            break;
        case Rung::SpillValues:
            residency_.keep_from_now();
            done = format("moved earlier results to the host ({})", mebibytes(residency_.spill()));
            device_->trim();
            break;
        case Rung::HostMemory:
            residency_.use_host_memory(true);
            done = "puts what finds no room into host memory";
            break;
    }
    if (!plan.told.insert(rung).second) return;
    log("memory", LogLevel::Warning, "plan {} takes {} where the budget is {}: {}", key.hex().substr(0, 12), mebibytes(need.peak),
        mebibytes(need.budget), done);
}

}  // namespace gpu
