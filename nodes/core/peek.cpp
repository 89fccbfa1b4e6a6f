#include "nodes/core/peek.h"

#include <algorithm>

#include "gpu/base/log.h"
#include "nodes/core/lowering.h"
#include "nodes/core/plan.h"
#include "nodes/core/validate.h"

namespace nodes {
namespace {

bool reads_only(const FilePlaces& places, const RunPlan& plan) {
    for (const PlannedNode& step : plan)
        for (std::size_t i = 0; i < step.params.size(); ++i) {
            if (step.type->params()[i].kind != ParamKind::InputFile) continue;
            const std::string path = step.params[i].toString().toStdString();
            if (!path.empty() && !path_readable(places, path)) return false;
        }
    return true;
}

void peek_one(const Document& document, const Document& low, const std::string& node, const FilePlaces& places, ResultCache& cache, std::vector<event::Produced>& found) {
    const RunPlan plan = make_plan(low, lowered_targets(document, low, {node}), places, nullptr);
    if (!reads_only(places, plan)) return;
    for (const PlannedNode& step : plan) {
        if (!step.target || step.loop >= 0 || step.type->info().side_effect) continue;
        const std::optional<NodeResult> result = cache.find(step.key);
        if (!result) continue;
        for (std::size_t i = 0; i < result->outputs.size(); ++i)
            if (!result->outputs[i].empty()) found.push_back({step.record->id, step.type->outputs()[i].name, result->outputs[i]});
    }
}

}  // namespace

std::vector<event::Produced> peek(const Document& document, const std::vector<std::string>& nodes, const FilePlaces& places, ResultCache& cache) {
    std::vector<event::Produced> found;
    try {
        std::vector<std::string> sound;
        std::ranges::copy_if(nodes, std::back_inserter(sound), [&](const std::string& node) { return !has_errors(validate(document, {node})); });
        if (sound.empty()) return found;
        std::vector<ListProblem> problems;
        const Document low = lowered(document, &places, &problems);
        if (!problems.empty()) return found;
        for (const std::string& node : sound) {
            try {
                peek_one(document, low, node, places, cache, found);
            } catch (const gpu::Error& error) {      // it does not run: muted, a wire
                gpu::log("cache", gpu::LogLevel::Debug, "looked for {}: {}", node, error.what());
            }
        }
    } catch (const std::exception& error) {
        gpu::log("cache", gpu::LogLevel::Debug, "looked for results: {}", error.what());
    }
    return found;
}

}  // namespace nodes
