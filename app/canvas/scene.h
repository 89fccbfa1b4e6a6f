// The graph as items: follows the model's signals, turns gestures into its edits. Knows ids, never nodes.
#pragma once

#include <QGraphicsScene>
#include <deque>
#include <map>

#include "app/canvas/frame_item.h"
#include "app/canvas/node_item.h"
#include "app/canvas/wire_item.h"
#include "app/model/run_controller.h"

namespace app {

// What drawing has cost so far: a test's measure.
struct CanvasCounts {
    int layouts = 0;         // of cards
    int nodes_painted = 0;   // from a kept picture or anew
    int pictures_drawn = 0;  // of nodes, to be kept
    int slices = 0;          // of laying out, see GraphScene::lay_out_later()
    int largest_slice = 0;   // in cards and wires
};

enum class Toward { Left, Right, Up, Down };

class GraphScene : public QGraphicsScene {
    Q_OBJECT

public:
    GraphScene(GraphModel& model, RunController& runs, QObject* parent = nullptr);
    ~GraphScene() override;

    GraphModel& model() const { return model_; }
    RunController& runs() const { return runs_; }

    // Every node has its item at once, and every frame. Where an edit touches many, their cards are laid out and wires drawn some at a
    // time between other events, so that the window goes on answering: see all_laid_out().
    NodeItem* item(const NodeId& id) const;  // null when there is none
    void lay_out_later(const NodeId& id);
    bool laying_out() const { return !stale_.empty() || !unwired_.empty() || !gone_.empty(); }
    QPointF socket_position(const SocketId& id) const;
    SocketId socket_at(QPointF point) const;  // empty when none is near
    bool empty() const { return nodes_.empty(); }
    QRectF content() const;                   // around all nodes and frames; empty without any
    std::vector<NodeId> selected_nodes() const;
    std::vector<LinkId> selected_links() const;
    void select(const std::vector<NodeId>& ids);
    // What an edit has just made: many of them in a turn of the event loop of their own.
    void select_made(const std::vector<NodeId>& ids);
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

    // --- frames ---
    FrameItem* frame_item(const FrameId& id) const;      // null when there is none
    // Those of which all nodes are selected, without frames in them; where one of them was taken by its title, that one.
    std::set<FrameId> selected_frames() const;
    void grasp(const FrameId& id);                       // whose nodes are selected: this one is meant, not those around it
    void take_frame(const FrameId& id);                  // selects its nodes, where they are not, and grasps it
    bool shows_selected(const FrameId& id) const;
    FrameId frame_at(QPointF point) const;               // the smallest around it; empty for none
    const FrameItem* frame_title_at(QPointF point) const;
    const FrameItem* frame_grip_at(QPointF point) const;
    const std::map<FrameId, std::unique_ptr<FrameItem>>& frame_items() const { return frames_; }
    const std::vector<FrameItem*>& frames_inside_out() const { return inside_out_; }      // what is in a frame goes before it
    void fit_frames();        // now; a moment after a card has changed they do by themselves
    void fit_frames_later();

    // Those that are selected, else those that selected nodes are in.
    std::set<FrameId> frames_in_hand() const;
    void resize_frames(QSizeF by, Gesture gesture);  // those in hand
    void fit_frames_to_content();                    // the same, as an edit

    // A bend in a wire, with its middle there; selected.
    void add_reroute(const LinkId& link, QPointF at);
    const WireItem* wire_at(QPointF point) const;      // null for none

    CanvasCounts& counts() { return counts_; }
    // While the view zooms, pictures of another size will do.
    void set_hurrying(bool on) { hurrying_ = on; }
    bool hurrying() const { return hurrying_; }

    // While nodes are dragged with the mouse their places are whole steps of the grid.
    void set_snapping(bool on) { snapping_ = on; }
    bool snapping() const { return snapping_; }
    bool snapping_now() const { return snapping_ && moving_; }

    // What the results of nodes hold in memory, on the nodes.
    void set_showing_memory(bool on);
    bool showing_memory() const { return showing_memory_; }

    // The next node that way: along a wire to the left and right where there is one, else the nearest. Empty for none.
    NodeId neighbour(const NodeId& from, Toward toward) const;
    NodeId nearest_to(QPointF point) const;
    void nudge(QPointF step, Gesture gesture);      // moves the selected nodes

signals:
    void all_laid_out();  // after laying_out() went on for longer than an edit
    // A double click on nothing, or a wire dropped there: `from` is its socket, else empty.
    void search_wanted(QPointF at, const app::SocketId& from);
    void node_activated(const app::NodeId& id);  // double click on a node
    void frame_activated(const app::FrameId& id);  // double click on its title
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
    void add_wire(const LinkId& link);
    void lay_out_slice();
    void lay_out_few();  // at once what is no more than a slice; the rest between events
    void let_go(std::unique_ptr<QGraphicsItem> item);
    void place_wire(WireItem& wire);
    QColor socket_colour(const SocketId& id) const;
    void start_drag(SocketId from, std::optional<LinkId> taken, QPointF at);
    void move_drag(QPointF at);
    void finish_drag(QPointF at);
    void store_moves();
    void rebuild_frames();
    void sync_frames();
    void fit_moving_frames();
    // Which frames nodes and frames that were moved are in now, where that is another.
    struct Dropped {
        std::map<NodeId, FrameId> nodes;
        std::map<FrameId, FrameId> frames;
    };
    Dropped dropped_into(const std::map<NodeId, QPointF>& moved) const;
    // A wire under the middle of a node that has no wires itself; null for none.
    const WireItem* wire_under(const NodeItem& node) const;

    GraphModel& model_;
    RunController& runs_;
    std::map<NodeId, std::unique_ptr<NodeItem>> nodes_;
    std::map<LinkId, std::unique_ptr<WireItem>> wires_;
    std::map<NodeId, std::set<WireItem*>> attached_;  // the wires of each node
    std::map<NodeId, nodes::Problem> problems_;
    std::map<FrameId, std::unique_ptr<FrameItem>> frames_;
    std::vector<FrameItem*> inside_out_;
    FrameId grasped_;
    QTimer fit_later_;
    std::deque<NodeId> stale_;    // cards to be laid out; some may be gone
    std::deque<LinkId> unwired_;  // links without a wire yet; some may be gone
    std::vector<std::unique_ptr<QGraphicsItem>> gone_;  // hidden, to be deleted
    QTimer lay_out_later_;
    bool put_off_ = false;        // to later turns of the event loop
    bool deselected_ = false;     // selected ones went during an edit
    CanvasCounts counts_;
    bool hurrying_ = false;
    bool snapping_ = false;
    bool moving_ = false;  // nodes, with the mouse
    bool showing_memory_ = false;

    SocketId drag_source_;
    std::set<SocketId> partners_;
    std::optional<LinkId> drag_taken_;  // the wire whose end was picked up
    std::unique_ptr<WireItem> loose_;
};

}  // namespace app
