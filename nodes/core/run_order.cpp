#include "nodes/core/run_order.h"

#include <algorithm>

#include "gpu/base/switches.h"

namespace nodes {
namespace {

constexpr int most_looked_at = 64;      // for one that reads what the worker made

}  // namespace

RunOrder::RunOrder(const RunPlan& plan) : reads_(plan.size()), readers_(plan.size()), waits_for_(plan.size()), made_by_(plan.size(), -1) {
    const bool recompute = gpu::switches().checks("cache");
    std::vector<std::size_t> unit(plan.size());         // the step itself, or the end of the outermost loop around it
    std::vector<std::vector<std::size_t>> members(plan.size());
    for (std::size_t i = plan.size(); i-- > 0;) {       // ends come after what they run
        unit[i] = plan[i].loop < 0 ? i : unit[static_cast<std::size_t>(plan[i].loop)];
        members[unit[i]].push_back(i);
    }
    for (std::size_t i = 0; i < plan.size(); ++i) {
        if (!plan[i].needed || plan[i].deferred || plan[i].loop >= 0) continue;
        ++left_;
        std::set<std::size_t> through{i};               // deferred ones that this may run
        std::vector<std::size_t> open = members[i];
        while (!open.empty()) {
            const PlannedNode& step = plan[open.back()];
            open.pop_back();
            if (!step.needed || (step.cached && !recompute)) continue;
            for (const PlannedInput& input : step.inputs) {
                if (input.step < 0) continue;
                const std::size_t source = unit[static_cast<std::size_t>(input.step)];
                if (!plan[source].needed) continue;
                if (!plan[source].deferred && source != i)
                    reads_[i].insert(source);
                else if (plan[source].deferred && through.insert(source).second)
                    open.insert(open.end(), members[source].begin(), members[source].end());
            }
        }
        for (const std::size_t source : reads_[i]) readers_[source].push_back(i);
        waits_for_[i] = reads_[i].size();
        if (reads_[i].empty()) ready_.insert(i);
    }
}

std::optional<std::size_t> RunOrder::take(int worker) {
    if (ready_.empty()) return {};
    auto best = ready_.begin();
    int looked = 0;
    for (auto at = ready_.begin(); at != ready_.end() && looked < most_looked_at; ++at, ++looked) {
        const auto reads_own = [&](std::size_t source) { return made_by_[source] == worker; };
        if (std::none_of(reads_[*at].begin(), reads_[*at].end(), reads_own)) continue;
        best = at;
        break;
    }
    const std::size_t step = *best;
    ready_.erase(best);
    --left_;
    return step;
}

void RunOrder::over(std::size_t step, int worker) {
    made_by_[step] = worker;
    for (const std::size_t reader : readers_[step])
        if (--waits_for_[reader] == 0) ready_.insert(reader);
}

}  // namespace nodes
