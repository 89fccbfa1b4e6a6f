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
    Difference result;
    const auto old_ids = before.node_ids();
    const auto new_ids = after.node_ids();
    std::ranges::set_difference(old_ids, new_ids, std::back_inserter(result.removed));
    std::ranges::set_difference(new_ids, old_ids, std::back_inserter(result.added));
    for (const NodeId& id : new_ids) {
        const nodes::NodeRecord* old_record = before.find(id);
        if (!old_record) continue;
        const nodes::NodeRecord* record = after.find(id);
        bool other = record != old_record && *record != *old_record;
        if (const QJsonObject was = before.layout_of(id), is = after.layout_of(id); was != is) {
            if (was["x"] != is["x"] || was["y"] != is["y"]) result.moved.push_back(id);
            result.frames |= was["frame"] != is["frame"];
            other |= was["colour"] != is["colour"];
        }
        if (other) result.changed.push_back(id);
    }
    result.frames |= !result.removed.empty() || !result.added.empty() || before.extra()["frames"] != after.extra()["frames"];
    const auto ids_of = [](const std::vector<nodes::Link>& links) {
        std::vector<LinkId> ids;
        for (const nodes::Link& link : links) ids.push_back({link.from, link.to});
        std::ranges::sort(ids);
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        return ids;
    };
    if (&before.links() != &after.links()) {
        const auto old_links = ids_of(before.links());
        const auto new_links = ids_of(after.links());
        std::ranges::set_difference(old_links, new_links, std::back_inserter(result.links_removed));
        std::ranges::set_difference(new_links, old_links, std::back_inserter(result.links_added));
    }
    return result;
}

}  // namespace app
