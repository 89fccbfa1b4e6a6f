#include "nodes/core/plan.h"

#include <algorithm>
#include <map>

#include "gpu/base/switches.h"
#include "nodes/core/key.h"

namespace nodes {
namespace {

class Planner {
public:
    Planner(const Document& document, const FilePlaces& places) : document_(document), places_(places) {}

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
            for (const Link& link : document_.links_of(id))
                if (link.to.node == id && !index_.contains(link.from.node)) open.push_back(link.from.node);
            if (open.size() > waiting) continue;
            open.pop_back();
            index_[id] = static_cast<int>(plan.size());
            plan.push_back(make_step(document_.node(id)));
        }
        plan[index_.at(target)].target = true;
    }

    RunPlan plan;

private:
    PlannedNode make_step(const NodeRecord& record) {
        PlannedNode step{.record = &record, .type = find_node_type(record.type)};
        for (const ParamInfo& info : step.type->params()) {
            QJsonValue value = info.canonical(document_.param(record.id, info.name));
            if (info.kind == ParamKind::InputFile)
                value = QString::fromStdString(resolve_input(places_, value.toString().toStdString()));
            if (info.kind == ParamKind::OutputFile)
                value = QString::fromStdString(resolve_output(places_, value.toString().toStdString()));
            step.params.push_back(value);
        }
        std::vector<gpu::Hash> keys;
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
            keys.push_back(link ? output_key(plan[source.step].key, link->from.socket) : gpu::Hash{});
        }
        step.key = node_key(*step.type, step.params, keys);
        return step;
    }

    const Document& document_;
    const FilePlaces& places_;
    std::map<std::string, int> index_;
};

}  // namespace

RunPlan make_plan(const Document& document, const std::vector<std::string>& targets, const FilePlaces& places,
                  ResultCache* cache) {
    Planner planner(document, places);
    for (const std::string& target : targets) planner.visit(target);
    RunPlan plan = std::move(planner.plan);

    // HEDDLE_CHECK=cache computes everything again, hits included, and compares.
    const bool recompute = gpu::switches().checks("cache");
    for (auto step = plan.rbegin(); step != plan.rend(); ++step) {
        step->needed |= step->target;
        if (!step->needed) continue;
        if (cache && !step->type->info().side_effect) step->cached = cache->find(step->key);
        if (step->cached && !recompute) continue;
        for (const PlannedInput& input : step->inputs)
            if (input.step >= 0) {
                plan[input.step].needed = true;
                ++plan[input.step].readers;
            }
    }
    return plan;
}

}  // namespace nodes
