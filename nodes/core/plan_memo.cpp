#include "nodes/core/plan_memo.h"

#include <algorithm>

namespace nodes {
namespace {

constexpr std::size_t most_changes = 256;      // beyond it looking at everything is no dearer

// The same node with other parameters, all of them plain values.
bool only_params_differ(const NodeRecord& before, const NodeRecord& after) {
    const auto computed = [](const QJsonObject& params) {
        return std::any_of(params.begin(), params.end(), [](const QJsonValue& value) { return value.isObject(); });
    };
    return before.type == after.type && before.version == after.version && before.mode == after.mode && before.mode == NodeMode::On && !computed(after.params);
}

}  // namespace

std::optional<PlanMemo::Known> PlanMemo::take(const Document& document, const std::vector<std::string>& asked, const FilePlaces& places, ResultCache* cache) {
    if (!known_ || asked != asked_ || !(places == places_)) return std::nullopt;
    const auto changed = document.changed_since(document_);
    if (!changed || changed->size() > most_changes) return std::nullopt;
    std::vector<std::pair<const NodeRecord*, const NodeRecord*>> records;
    std::vector<Problem> warnings = known_->warnings;
    for (const std::string& id : *changed) {
        records.emplace_back(document_.find(id), document.find(id));
        if (!only_params_differ(*records.back().first, *records.back().second)) return std::nullopt;
        std::erase_if(warnings, [&](const Problem& problem) { return problem.node == id; });
        for (Problem& problem : validate_node(document, id)) {
            if (problem.severity == Severity::Error) return std::nullopt;
            warnings.push_back(std::move(problem));
        }
    }
    Known known = std::move(*known_);
    known_.reset();
    known.warnings = std::move(warnings);
    replan(known.plan, records, document, places, cache);
    return known;
}

void PlanMemo::put(const Document& document, const Document& low, std::vector<std::string> asked, FilePlaces places, Known known) {
    known_.reset();
    const auto changed = low.changed_since(document);
    if (!changed || !changed->empty()) return;
    for (PlannedNode& step : known.plan) step.cached.reset();
    document_ = document;
    asked_ = std::move(asked);
    places_ = std::move(places);
    known_ = std::move(known);
}

}  // namespace nodes
