#include "app/model/edit_command.h"

#include <algorithm>
#include <iterator>

namespace app {

EditCommand::EditCommand(GraphModel& model, const QString& text, GraphModel::Snapshot before,
                         GraphModel::Snapshot after, QString merge, std::optional<std::pair<NodeId, NodeId>> renamed)
    : QUndoCommand(text),
      model_(model),
      before_(std::move(before)),
      after_(std::move(after)),
      merge_(std::move(merge)),
      renamed_(std::move(renamed)) {}

void EditCommand::undo() {
    auto renamed = renamed_;
    if (renamed) std::swap(renamed->first, renamed->second);
    model_.apply(before_, renamed);
}

void EditCommand::redo() { model_.apply(after_, renamed_); }

bool EditCommand::mergeWith(const QUndoCommand* other) {
    const auto* next = dynamic_cast<const EditCommand*>(other);
    if (!next || next->merge_ != merge_) return false;
    after_ = next->after_;
    setObsolete(before_.whole == after_.whole);  // dragged there and back
    return true;
}

Difference difference(const nodes::Document& before, const nodes::Document& after) {
    nodes::Document::Difference found = after.since(before);
    Difference result;
    std::vector<NodeId> recoloured;
    for (const NodeId& id : found.layouts) {
        const QJsonObject was = before.layout_of(id), is = after.layout_of(id);
        if (was["x"] != is["x"] || was["y"] != is["y"]) result.moved.push_back(id);
        result.frames |= was["frame"] != is["frame"];
        if (was["colour"] != is["colour"]) recoloured.push_back(id);
    }
    std::ranges::set_union(found.records, recoloured, std::back_inserter(result.changed));
    result.frames |= !found.removed.empty() || !found.added.empty() || before.extra()["frames"] != after.extra()["frames"];
    result.removed = std::move(found.removed);
    result.added = std::move(found.added);
    for (const nodes::Link& link : found.links_removed) result.links_removed.push_back({link.from, link.to});
    for (const nodes::Link& link : found.links_added) result.links_added.push_back({link.from, link.to});
    return result;
}

}  // namespace app
