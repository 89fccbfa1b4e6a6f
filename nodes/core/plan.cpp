#include "nodes/core/plan.h"

#include <algorithm>
#include <map>

#include "gpu/base/switches.h"
#include "nodes/core/key.h"
#include "nodes/core/regions.h"

namespace nodes {
namespace {

std::vector<QJsonValue> params_of(const Document& document, const PlannedNode& step, const FilePlaces& places) {
    std::vector<QJsonValue> params;
    for (const ParamInfo& info : step.type->params()) {
        QJsonValue value = info.canonical(document.param(step.record->id, info.name));
        if (info.kind == ParamKind::InputFile) value = QString::fromStdString(resolve_input(places, value.toString().toStdString()));
        if (info.kind == ParamKind::OutputFile) value = QString::fromStdString(resolve_output(places, value.toString().toStdString()));
        params.push_back(value);
    }
    return params;
}

gpu::Hash key_in(const RunPlan& plan, const PlannedNode& step) {
    std::vector<gpu::Hash> keys;
    for (const PlannedInput& input : step.inputs)
        keys.push_back(input.step < 0 ? gpu::Hash{} : output_key(plan[input.step].key, plan[input.step].type->outputs()[input.output].name));
    return node_key(*step.type, step.params, keys);
}

class Planner {
public:
    Planner(const Document& document, const std::vector<std::string>& targets, const FilePlaces& places)
        : document_(document), places_(places), regions_(regions_of(document)) {
        for (const Region& region : regions_)
            for (const std::string& target : targets)
                if (region.body.contains(target)) hanging_[region.end].push_back(target);
        for (const std::string& target : targets) visit(target);
        for (const Region& region : regions_) {      // inner ones first
            const auto end = index_.find(region.end);
            if (end == index_.end()) continue;
            for (const std::string& id : region.body)
                if (const auto at = index_.find(id); at != index_.end() && plan[at->second].loop < 0) plan[at->second].loop = end->second;
        }
    }

    RunPlan plan;

private:
    // Depth first with a stack of its own: a chain of nodes may be longer than the thread's stack allows.
    void visit(const std::string& target) {
        std::vector<std::string> open{target};
        while (!open.empty()) {
            const std::string id = open.back();
            if (index_.contains(id)) {
                open.pop_back();
                continue;
            }
            const std::size_t waiting = open.size();
            const auto links = document_.links_into(id);
            for (auto link = links.rbegin(); link != links.rend(); ++link)      // the first is done first
                if (!index_.contains(link->from.node)) open.push_back(link->from.node);
            // Targets that hang on a loop's body run before its end does.
            if (const auto at = hanging_.find(id); at != hanging_.end())
                for (const std::string& other : at->second)
                    if (!index_.contains(other)) open.push_back(other);
            if (open.size() > waiting) continue;
            open.pop_back();
            index_[id] = static_cast<int>(plan.size());
            plan.push_back(make_step(document_.node(id)));
        }
        plan[index_.at(target)].target = true;
    }

    PlannedNode make_step(const NodeRecord& record) {
        PlannedNode step{.record = &record, .type = find_node_type(record.type)};
        step.params = params_of(document_, step, places_);
        for (const SocketInfo& input : step.type->inputs()) {
            const Link* link = document_.link_into({record.id, input.name});
            PlannedInput source;
            if (link) {
                source.step = index_.at(link->from.node);
                const auto& outputs = plan[source.step].type->outputs();
                source.output = static_cast<int>(std::ranges::find(outputs, link->from.socket, &SocketInfo::name) -
                                                 outputs.begin());
            }
            step.inputs.push_back(source);
        }
        step.key = key_in(plan, step);
        return step;
    }

    const Document& document_;
    const FilePlaces& places_;
    const std::vector<Region> regions_;
    std::map<std::string, std::vector<std::string>> hanging_;      // by the end of a loop: targets in its body
    std::map<std::string, int> index_;
};

// Of the steps that run `step`, the one at the level of `other`: step itself, or the end of a loop around it.
int at_level_of(const RunPlan& plan, int step, int other) {
    while (plan[step].loop != plan[other].loop && plan[step].loop >= 0) step = plan[step].loop;
    return step;
}

// Which steps are needed for the targets, and which of them are cached.
void mark_needed(RunPlan& plan, ResultCache* cache) {
    // A loop with a target inside runs, whatever is cached.
    std::vector<bool> must_run(plan.size(), false);
    for (const PlannedNode& step : plan)
        if (step.target)
            for (int end = step.loop; end >= 0; end = plan[end].loop) must_run[end] = true;

    // HEDDLE_CHECK=cache computes everything again, hits included, and compares.
    const bool recompute = gpu::switches().checks("cache");
    std::vector<bool> eager(plan.size(), false);
    for (int i = static_cast<int>(plan.size()); i-- > 0;) {
        PlannedNode& step = plan[i];
        if (step.target || must_run[i]) step.needed = eager[i] = true;
        if (!step.needed) continue;
        step.deferred = !eager[i];
        // Steps in a loop have a key of their own in every iteration: the executor asks for them.
        if (cache && !step.type->info().side_effect && step.loop < 0 && !must_run[i]) step.cached = cache->find(step.key);
        if (step.cached && !recompute) continue;
        for (std::size_t at = 0; at < step.inputs.size(); ++at) {
            const PlannedInput& input = step.inputs[at];
            if (input.step < 0) continue;
            plan[input.step].needed = true;
            if (eager[i] && !step.type->inputs()[at].lazy) eager[input.step] = true;
            ++plan[input.step].readers;
            if (plan[input.step].loop != i) plan[at_level_of(plan, i, input.step)].releases.push_back(input.step);
        }
    }
}

}  // namespace

RunPlan make_plan(const Document& document, const std::vector<std::string>& targets, const FilePlaces& places,
                  ResultCache* cache) {
    RunPlan plan = std::move(Planner(document, targets, places).plan);
    mark_needed(plan, cache);
    return plan;
}

void replan(RunPlan& plan, const std::vector<std::pair<const NodeRecord*, const NodeRecord*>>& changed, const Document& document, const FilePlaces& places, ResultCache* cache) {
    std::vector<bool> other(plan.size(), false);      // whose keys have changed
    for (std::size_t i = 0; i < plan.size(); ++i) {
        PlannedNode& step = plan[i];
        step.cached.reset();
        step.needed = step.deferred = false;
        step.readers = 0;
        step.releases.clear();
        const auto record = std::ranges::find(changed, step.record, [](const auto& pair) { return pair.first; });
        const bool edited = record != changed.end();
        if (edited) step.record = record->second;
        const bool reads_files = std::ranges::any_of(step.type->params(), [](const ParamInfo& info) { return info.kind == ParamKind::InputFile; });
        if (edited || reads_files) step.params = params_of(document, step, places);
        const bool fed_anew = std::ranges::any_of(step.inputs, [&](const PlannedInput& input) { return input.step >= 0 && other[static_cast<std::size_t>(input.step)]; });
        if (!edited && !reads_files && !fed_anew) continue;
        const gpu::Hash before = step.key;
        step.key = key_in(plan, step);
        other[i] = !(step.key == before);
    }
    mark_needed(plan, cache);
}

}  // namespace nodes
