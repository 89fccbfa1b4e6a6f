// One undo step: the document before and after it, and at which level.
#pragma once

#include <QUndoCommand>

#include "app/model/graph_model.h"

namespace app {

class EditCommand final : public QUndoCommand {
public:
    // Steps with the same `merge` text that follow one another become one; empty: never.
    EditCommand(GraphModel& model, const QString& text, GraphModel::Snapshot before, GraphModel::Snapshot after,
                QString merge, std::optional<std::pair<NodeId, NodeId>> renamed);

    void undo() override;
    void redo() override;
    int id() const override { return merge_.isEmpty() ? -1 : 1; }
    bool mergeWith(const QUndoCommand* other) override;

private:
    GraphModel& model_;
    GraphModel::Snapshot before_;
    GraphModel::Snapshot after_;
    QString merge_;
    std::optional<std::pair<NodeId, NodeId>> renamed_;
};

// What differs between two documents, as a view wants to hear it.
struct Difference {
    std::vector<NodeId> removed, added, changed, moved;
    std::vector<LinkId> links_removed, links_added;
    bool frames = false;
};
Difference difference(const nodes::Document& before, const nodes::Document& after);

}  // namespace app
