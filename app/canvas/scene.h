// The graph as items: follows the model's signals, turns gestures into its edits. Knows ids, never nodes.
#pragma once

#include <QGraphicsScene>
#include <map>

#include "app/canvas/node_item.h"
#include "app/canvas/wire_item.h"
#include "app/model/run_controller.h"

namespace app {

class GraphScene : public QGraphicsScene {
    Q_OBJECT

public:
    GraphScene(GraphModel& model, RunController& runs, QObject* parent = nullptr);
    ~GraphScene() override;

    GraphModel& model() const { return model_; }
    RunController& runs() const { return runs_; }

    NodeItem* item(const NodeId& id) const;  // null when there is none
    QPointF socket_position(const SocketId& id) const;
    SocketId socket_at(QPointF point) const;  // empty when none is near
    QRectF content() const;                   // around all nodes; empty without any
    std::vector<NodeId> selected_nodes() const;
    std::vector<LinkId> selected_links() const;
    void select(const std::vector<NodeId>& ids);
    void remove_selection();
    // Sizes of the selected nodes, of all where none is.
    std::map<NodeId, QSizeF> sizes_of_selection() const;
    void restyle();  // after set_theme()

    std::optional<nodes::Problem> problem(const NodeId& id) const;
    // While a wire is dragged: where it may end; null otherwise.
    const std::set<SocketId>* drag_partners() const { return dragging() ? &partners_ : nullptr; }
    const SocketId& drag_source() const { return drag_source_; }
    bool dragging() const { return !drag_source_.empty(); }
    void cancel_drag();

    void update_wires(const NodeId& id);

signals:
    // A double click on nothing, or a wire dropped there: `from` is its socket, else empty.
    void search_wanted(QPointF at, const app::SocketId& from);
    void node_activated(const app::NodeId& id);  // double click on a node
    void message(const QString& text);           // why a gesture did nothing

protected:
    void mousePressEvent(QGraphicsSceneMouseEvent* event) override;
    void mouseMoveEvent(QGraphicsSceneMouseEvent* event) override;
    void mouseReleaseEvent(QGraphicsSceneMouseEvent* event) override;
    void mouseDoubleClickEvent(QGraphicsSceneMouseEvent* event) override;

private:
    void rebuild();
    void add_node(const NodeId& id);
    void remove_node(const NodeId& id);
    void rename_node(const NodeId& from, const NodeId& to);
    void add_link(const LinkId& link);
    void remove_link(const LinkId& link);
    void refresh(const NodeId& id);
    void place_wire(WireItem& wire);
    QColor socket_colour(const SocketId& id) const;
    void start_drag(SocketId from, std::optional<LinkId> taken, QPointF at);
    void move_drag(QPointF at);
    void finish_drag(QPointF at);
    void store_moves();
    // A wire under the middle of a node that has no wires itself; null for none.
    const WireItem* wire_under(const NodeItem& node) const;

    GraphModel& model_;
    RunController& runs_;
    std::map<NodeId, std::unique_ptr<NodeItem>> nodes_;
    std::map<LinkId, std::unique_ptr<WireItem>> wires_;
    std::map<NodeId, std::set<WireItem*>> attached_;  // the wires of each node
    std::map<NodeId, nodes::Problem> problems_;

    SocketId drag_source_;
    std::set<SocketId> partners_;
    std::optional<LinkId> drag_taken_;  // the wire whose end was picked up
    std::unique_ptr<WireItem> loose_;
};

}  // namespace app
