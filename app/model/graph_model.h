// The Qt side of a document: what a view may ask by id, fine-grained signals, and edits that can all be undone.
#pragma once

#include <QColor>
#include <QObject>
#include <QPointF>
#include <QSizeF>
#include <QTimer>
#include <QUndoStack>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "app/model/arrange.h"
#include "app/model/ids.h"
#include "app/model/latest_task.h"
#include "nodes/core/frames.h"
#include "nodes/core/node.h"
#include "nodes/core/validate.h"

namespace app {

// A socket as a view shows it. Sockets that only a link names (an unknown node type, a removed socket) are listed too,
// as not `known`, so that no wire of a document is lost from sight.
struct SocketLook {
    SocketId id;
    QString label;
    QString help;
    QString type;  // title of the socket type, empty when not known
    QColor colour;
    bool known = true;
    bool required = false;  // an input that has to be connected
    bool linked = false;
};

struct ParamLook {
    QString label;
    QString value;
};

struct NodeLook {
    QString title;
    QString category;
    QString help;
    bool known = true;
    nodes::NodeMode mode = nodes::NodeMode::On;
    bool subgraph = false;  // can be entered
    bool bend = false;      // nothing but a bend in a wire
    QColor colour;          // given by the user; invalid: that of the category
    std::vector<SocketLook> inputs;
    std::vector<SocketLook> outputs;
    QString text;                   // of a node that is nothing but words
    std::vector<ParamLook> params;  // what is worth showing on the node: changed, required or a choice
};

// A subgraph that is looked into: by which use, of the level above.
struct Level {
    NodeId use;
    std::string subgraph;
    friend bool operator==(const Level&, const Level&) = default;
};

// Joins edits of one gesture (a slider drag, typing in one field) into one undo step. Copies are the same gesture.
class Gesture {
public:
    static Gesture next();
    static Gesture none() { return {}; }
    std::uint64_t number() const { return number_; }  // 0: joins nothing

private:
    std::uint64_t number_ = 0;
};

// Owns the document as a value and the undo stack. Lives on the GUI thread. Every edit is one QUndoCommand that holds
// the snapshots before and after it (documents share what they have in common), so that undo restores every byte; the
// signals follow from the difference of the two.
class GraphModel : public QObject {
    Q_OBJECT

public:
    explicit GraphModel(QObject* parent = nullptr);
    ~GraphModel() override;

    // --- documents ---
    // What is shown and edited: the document, or the inside of one of its subgraphs.
    const nodes::Document& document() const { return document_; }
    nodes::Document whole() const;  // the document, wherever one looks
    QString path() const { return qt(path_); }  // empty: never saved
    bool dirty() const { return !undo_.isClean(); }
    void clear();  // a new, empty document; forgets the undo steps
    // Replace the document; throw gpu::Error and change nothing where the file can not be read.
    void load(const QString& path);
    void set_document(const nodes::Document& document);
    // The same as an edit: can be undone, and is not saved yet.
    void replace(const nodes::Document& document, const QString& text);
    // Write-and-rename; throws gpu::Error{Io} and stays dirty where that fails. The undo steps stay.
    void save_as(const QString& path);

    // --- subgraphs: from here on ids are of the level that is shown ---
    const std::vector<Level>& levels() const { return levels_; }  // outermost first; empty: the document itself
    void enter(const NodeId& use);                                // no subgraph: nothing happens
    void leave();
    // Shows the level that these uses lead to, from the outermost; false, and nothing happens, where they lead nowhere.
    bool go_to(const std::vector<NodeId>& uses);
    // The id that a node of this level has in a run, and the node of this level that a run's id belongs to (a use of a
    // subgraph for what is inside); nothing where it belongs to none.
    NodeId run_id(const NodeId& shown) const;
    std::optional<NodeId> shown_id(const NodeId& running) const;

    // --- reading by id ---
    std::vector<NodeId> node_ids() const { return document_.node_ids(); }
    bool contains(const NodeId& id) const { return document_.contains(id); }
    std::vector<LinkId> links() const;
    std::vector<LinkId> links_of(const NodeId& id) const;
    QPointF position(const NodeId& id) const;
    NodeLook look(const NodeId& id) const;
    const nodes::Node* declaration(const NodeId& id) const;  // null when this program does not know the type
    QJsonValue param(const NodeId& id, const std::string& name) const { return document_.param(id, name); }
    bool param_is_set(const NodeId& id, const std::string& name) const;
    std::set<NodeId> downstream(const NodeId& id) const { return downstream_of({id}); }  // with itself
    std::set<NodeId> downstream_of(const std::set<NodeId>& ids) const;                   // with themselves

    // The sockets that a wire from `from` (of either direction) may end in, over the whole graph.
    std::set<SocketId> partners(const SocketId& from) const;
    // Whether a node of `type` has a socket that a wire from `from` may end in.
    bool type_accepts(const nodes::Node& type, const SocketId& from) const;
    QString connect_problem(const SocketId& a, const SocketId& b) const;  // empty: may be connected

    // --- frames of the level that is shown ---
    const std::map<FrameId, nodes::Frame>& frames() const { return frames_; }
    FrameId frame_of(const NodeId& id) const;  // empty for none
    const std::vector<NodeId>& nodes_within(const FrameId& id) const;  // of frames in it as well; sorted

    // What validate() says, refreshed a moment after each edit. Of a graph of many nodes a worker thread finds it out: checking()
    // until problems_changed() tells.
    const std::vector<nodes::Problem>& problems() const { return problems_; }
    bool checking() const { return checker_.busy(); }
    // File names that the person at the window gave to parameters, as typed or chosen: what a run may touch beside the
    // folders of the document and of its output. What came with an opened or pasted document is not among them.
    std::set<std::string> given_files() const;
    std::optional<nodes::Problem> worst_problem(const NodeId& id) const;
    void validate_now();

    // --- edits, one undo step each ---
    // A node of a known type; when `link` is given, its first fitting socket is connected to it in the same step, and
    // when `frame` is, the node is put into it.
    NodeId add_node(const std::string& type, QPointF at, const SocketId& link = {}, const FrameId& frame = {});
    // A node that a wire then leads through; it is not connected where no sockets fit.
    NodeId insert_node(const std::string& type, QPointF at, const LinkId& link);
    void remove(const std::vector<NodeId>& ids, const std::vector<LinkId>& links = {});
    // The same, and what read a node reads what it read: of each output the input that a bypass would pass on.
    void dissolve(const std::vector<NodeId>& ids);
    // Moves a node without links onto a wire, which then leads through it; false, and only moved, where no sockets fit.
    bool place_on_link(const NodeId& id, QPointF at, const LinkId& link);
    // In either order; a former link into the input is replaced. `instead` is removed in the same step (a wire's end
    // that was dragged elsewhere). Returns why not, empty when done.
    QString connect_sockets(const SocketId& a, const SocketId& b, const std::optional<LinkId>& instead = {});
    void disconnect_link(const LinkId& link);
    // An undefined value goes back to the initial one.
    void set_param(const NodeId& id, const std::string& name, const QJsonValue& value,
                   Gesture gesture = Gesture::none());
    // Several parameters of one node in one step.
    void set_params(const NodeId& id, const QJsonObject& values, Gesture gesture = Gesture::none());
    // Nodes in columns along the wires, all or some; sizes are those on the canvas.
    void arrange(const std::map<NodeId, QSizeF>& sizes);
    void align(const std::map<NodeId, QSizeF>& sizes, Edge edge);
    // `into` and `nested` name frames that nodes and frames are put into by the way, empty: out of any.
    void move(const std::map<NodeId, QPointF>& to, Gesture gesture = Gesture::none(), const std::map<NodeId, FrameId>& into = {},
              const std::map<FrameId, FrameId>& nested = {});
    void set_node_colour(const std::vector<NodeId>& ids, const QColor& colour);  // invalid: that of the category again
    // A frame around nodes, in the frame that they all lie in and around those that it holds whole; empty, and nothing
    // happens, without any.
    FrameId add_frame(const std::vector<NodeId>& ids, const QString& title);
    void remove_frames(const std::set<FrameId>& ids);  // what is in them stays
    void set_frame_title(const FrameId& id, const QString& title);
    void set_frame_size(const FrameId& id, QSizeF size) { set_frame_sizes({{id, size}}); }  // at least; null: as large as what is in it
    void set_frame_sizes(const std::map<FrameId, QSizeF>& sizes, Gesture gesture = Gesture::none());
    // Nodes, and frames with all that is in them, put into a frame; empty: out of any. Throws gpu::Error where a frame would be in itself.
    void put_into_frame(const std::vector<NodeId>& ids, const std::set<FrameId>& frames, const FrameId& into);
    void set_frame_colour(const std::set<FrameId>& ids, const QColor& colour);  // invalid: none
    // An edit of the document itself, whatever level is shown, which stays.
    void change_whole(const QString& text, const nodes::Document& after);
    QString rename(const NodeId& id, const QString& to);  // returns why not
    void set_mode(const std::vector<NodeId>& ids, nodes::NodeMode mode);
    // Makes a subgraph of nodes and returns its use; the other way round puts the nodes back and returns them. Throw
    // gpu::Error where that can not be.
    NodeId group(const std::vector<NodeId>& ids);
    std::vector<NodeId> ungroup(const NodeId& use);

    // Nodes with the links between them, as the text of a document; empty text for no nodes.
    QByteArray copy(const std::vector<NodeId>& ids) const;
    // Adds the nodes of a document's text with free ids, its upper left corner at `at`; throws gpu::Error when it is
    // none.
    std::vector<NodeId> paste(const QByteArray& text, QPointF at);
    // Beside the originals.
    std::vector<NodeId> duplicate(const std::vector<NodeId>& ids);

    // A document with further nodes, and which these are.
    struct Inserted {
        nodes::Document document;
        std::vector<NodeId> nodes;
    };

    QUndoStack& undo_stack() { return undo_; }

signals:
    void reset();  // anything may have changed
    void level_changed();  // another level of the same document is shown
    void node_added(const app::NodeId& id);
    void node_removed(const app::NodeId& id);
    void node_renamed(const app::NodeId& from, const app::NodeId& to);
    void node_changed(const app::NodeId& id);  // parameters or the record
    void node_moved(const app::NodeId& id);
    void frames_changed();  // which there are, what they are called, or whose
    void link_added(const app::LinkId& link);
    void link_removed(const app::LinkId& link);
    void edited();  // once after each edit, undo and redo
    void dirty_changed(bool dirty);
    void path_changed();
    void problems_changed();

private:
    friend class EditCommand;
    using Rename = std::pair<NodeId, NodeId>;
    // The whole document and what is shown of it.
    struct Snapshot {
        nodes::Document whole;
        std::vector<Level> levels;
    };

    void push(const QString& text, nodes::Document after, const QString& merge = {},
              const std::optional<Rename>& renamed = {});
    // Makes `next` the document and tells what differs.
    void apply(const Snapshot& next, const std::optional<Rename>& renamed);
    void show(const Snapshot& next);
    // The document with `shown` in the place of what is shown.
    nodes::Document whole_with(const nodes::Document& shown) const;
    void set_path(const std::string& path);
    void validate_soon();  // now, where that is quick
    void move_all(const QString& text, const std::map<NodeId, QPointF>& to);
    std::vector<NodeId> insert(const QString& text, bool large, const std::function<Inserted(const nodes::Document&)>& work);
    void read_frames();

    nodes::Document document_;     // what is shown
    nodes::Document outermost_;    // the whole as it was when a level was entered, or empty
    std::vector<Level> levels_;
    std::string path_;
    QUndoStack undo_;
    QTimer validate_later_;
    LatestTask checker_;
    std::vector<nodes::Problem> problems_;
    std::map<FrameId, nodes::Frame> frames_;
    std::unordered_map<NodeId, FrameId> framed_;
    std::map<FrameId, std::vector<NodeId>> framed_within_;
    // Links by both of their nodes, of the document that is kept beside them.
    mutable std::unordered_map<NodeId, std::vector<LinkId>> links_by_node_;
    mutable nodes::Document indexed_;
    std::map<nodes::Endpoint, std::string>
        given_files_;  // by node and parameter: of what is typed only the last counts
};

}  // namespace app
