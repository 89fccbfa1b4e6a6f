// A node graph as a value: an immutable snapshot, edits that return a new one, and its file form (.heddle).
//
// A file is one JSON text: {"heddle": 1, "nodes": {ID: {"type", "version", "params", "mode"}}, "links": [{"from":
// "load.image", "to": "encode.image"}], "layout": {ID: {"x", "y"}}, "subgraphs": {NAME: {"nodes", "links", "layout",
// "params"}}}. Logic and layout are apart, links go by name, and whatever this program does not know (fields, nodes,
// parameters) is kept and written back unharmed. to_json() is canonical: equal documents give equal bytes.
//
// A subgraph is a document inside of a document, used by nodes of type "subgraph:NAME": see subgraph.h.
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <compare>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace nodes {

class Node;

// The format that this program writes. Newer ones are read as far as they are understood, see Document::format().
inline constexpr int document_format = 1;

// One end of a link: a socket of a node, both by name. As text "encode.latent".
struct Endpoint {
    std::string node;
    std::string socket;

    std::string text() const { return node + "." + socket; }
    // Splits at the only dot; throws gpu::Error{InvalidGraph} when there is not exactly one.
    static Endpoint parse(const std::string& text);
    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

struct Link {
    Endpoint from;        // an output
    Endpoint to;          // an input
    QJsonObject extra{};  // fields of the file that this program does not know

    friend bool operator==(const Link&, const Link&) = default;
};

// Whether a node runs. A muted one gives nothing, and what needs it is muted too; a bypassed one hands to each of its
// outputs what its first input of the same type gets: see lowering.h.
enum class NodeMode { On, Muted, Bypassed };

// A node of a document: which type it is and the parameters that somebody set. What is absent in `params` has the
// initial value of the declaration.
struct NodeRecord {
    std::string id;    // given by the user, unique in the document: see valid_node_id
    std::string type;  // "image.load", perhaps of a node type that this program does not have
    int version = 1;   // of the node type when it was last edited or upgraded
    QJsonObject params{};
    NodeMode mode = NodeMode::On;
    QJsonObject extra{};  // fields of the file that this program does not know

    friend bool operator==(const NodeRecord&, const NodeRecord&) = default;
};

struct Position {
    double x = 0;
    double y = 0;
    friend bool operator==(const Position&, const Position&) = default;
};

// Letters, digits, '_', '-' and anything beyond ASCII; no dot, no space; 1 to 64 bytes.
bool valid_node_id(const std::string& id);

// Copying costs a few reference counts, an edit copies the maps it changes (pointers, not nodes). Safe to read from any
// thread. Edits throw gpu::Error{InvalidGraph} when the document has no such node, or the id is taken or ill-formed;
// they do not check types (validate.h does), so that a half-built graph can be held and saved.
class Document {
public:
    Document();  // empty

    // Reads a file or its text and brings its nodes to today's versions. `path` is for messages and for relative file
    // names. Throws gpu::Error{MissingFile, BadFile} with line and column where the text is not what it claims to be.
    static Document load(const std::string& path);
    static Document from_json(const QByteArray& text, const std::string& path = {});

    // The canonical text, ends in a newline.
    QByteArray to_json() const;
    // Writes to a temporary file and renames it over `path`: a crash or a full disk leaves the old file whole.
    // Throws gpu::Error{Io}.
    void save(const std::string& path) const;

    // --- reading ---
    int format() const;                         // of the file; above document_format it was written by a newer Heddle
    const std::string& path() const;            // where it was loaded from, empty for none; not part of the content
    std::string folder() const;                 // absolute folder of path(), empty for none
    std::vector<std::string> node_ids() const;  // sorted
    bool contains(const std::string& id) const { return find(id) != nullptr; }
    const NodeRecord* find(const std::string& id) const;  // null when there is none; lives as long as this snapshot
    const NodeRecord& node(const std::string& id) const;  // throws where find() returns null
    const std::vector<Link>& links() const;               // sorted by `to`, then `from`
    const Link* link_into(const Endpoint& input) const;   // the first, null for none
    std::vector<Link> links_of(const std::string& node) const;
    std::span<const Link> links_into(const std::string& node) const;  // sorted by input; as long as this snapshot lives
    Position position(const std::string& id) const;  // {0, 0} where the layout has none
    bool has_position(const std::string& id) const;
    // Fields of the layout or of the document itself that this program does not know, e.g. an editor's view.
    QJsonObject layout_of(const std::string& id) const;
    const std::map<std::string, QJsonObject>& layouts() const;  // of all that have any, as long as this snapshot lives
    QJsonObject extra() const;

    // The declaration of a node: of the program, or made from a subgraph of this document. Null when there is none; that
    // of a subgraph lives as long as a document that holds the subgraph as it is now.
    const Node* type_of(const NodeRecord& record) const;
    const Node* type_of(const std::string& id) const;  // null where there is no such node, too

    std::vector<std::string> subgraph_names() const;
    // Null when there is none. What it gives has no subgraphs of its own: those that it uses are the outer document's.
    const Document* subgraph(const std::string& name) const;
    // The same to look into: a document with the subgraphs of this one.
    Document inside(const std::string& name) const;

    // The nodes whose records are other objects than in `earlier`, a snapshot that this one was made from by edits; nothing where more than
    // records differs: links, which nodes there are, subgraphs, the file. Compares no content: a few nanoseconds a node.
    std::optional<std::vector<std::string>> changed_since(const Document& earlier) const;

    // What became of `earlier`. Where the two share what they have in common, as snapshots of one history do, a few nanoseconds a node.
    struct Difference {
        std::vector<std::string> removed, added;           // node ids, sorted
        std::vector<std::string> records, layouts;         // of nodes that both have, sorted
        std::vector<Link> links_removed, links_added;      // by their ends
    };
    Difference since(const Document& earlier) const;

    // The value that a node runs with: what the document sets, else the declaration's initial value. Undefined value
    // where neither exists.
    QJsonValue param(const std::string& id, const std::string& name) const;

    // --- editing: each returns a new document ---
    // A new node with the type's current version. An empty id makes one from the type: "image.load" -> "load", "load2".
    // The id that it got is in *made when that is given.
    [[nodiscard]] Document add_node(const std::string& type, std::string id = {}, Position at = {},
                                    std::string* made = nullptr) const;
    // Puts a record as it is (paste, undo of a removal).
    [[nodiscard]] Document add_record(NodeRecord record, Position at = {}) const;
    [[nodiscard]] Document remove_node(const std::string& id) const;                    // and the links that touch it
    [[nodiscard]] Document rename(const std::string& id, const std::string& to) const;  // links and layout follow
    // An input holds one link: a former one is replaced.
    [[nodiscard]] Document connect(const Endpoint& from, const Endpoint& to) const;
    [[nodiscard]] Document disconnect(const Endpoint& from, const Endpoint& to) const;  // no such link: unchanged
    // Stores a value without checking its range; an undefined value removes it (back to the initial value).
    [[nodiscard]] Document set_param(const std::string& id, const std::string& name, const QJsonValue& value) const;
    [[nodiscard]] Document set_mode(const std::string& id, NodeMode mode) const;
    // Puts or replaces a subgraph (the subgraphs of `content` itself are dropped), or takes it away; nodes that use it stay.
    [[nodiscard]] Document set_subgraph(const std::string& name, const Document& content) const;
    [[nodiscard]] Document remove_subgraph(const std::string& name) const;
    [[nodiscard]] Document move(const std::string& id, Position to) const;
    [[nodiscard]] Document set_layout(const std::string& id, const QJsonObject& fields) const;
    [[nodiscard]] Document set_extra(const QJsonObject& extra) const;
    // Many at once, for one copy of the maps. Ids and links that the document does not have are passed over.
    [[nodiscard]] Document remove_nodes(const std::set<std::string>& ids) const;
    [[nodiscard]] Document disconnect_all(const std::vector<Link>& links) const;      // by their ends
    [[nodiscard]] Document set_layouts(const std::map<std::string, QJsonObject>& fields) const;
    [[nodiscard]] Document set_modes(const std::set<std::string>& ids, NodeMode mode) const;
    // All nodes of another document with free ids, which are in *made by their own, their layout and the links between them.
    [[nodiscard]] Document add_all(const Document& other, std::map<std::string, std::string>* made = nullptr) const;
    // This document with other nodes and links, taken as they are: for passes that prepare a run (lowering.h), whose ids
    // may hold '/'. The layout stays.
    [[nodiscard]] Document with_content(const std::vector<NodeRecord>& records, std::vector<Link> links) const;
    [[nodiscard]] Document with_path(const std::string& path) const;

    // An id that is free here, made from a type id or from another id: "load", "load2".
    std::string free_id(const std::string& wanted) const;

    // Same content: format, nodes, links, layout, subgraphs and unknown fields. The path does not count.
    friend bool operator==(const Document& a, const Document& b) { return a.same_content(b); }

private:
    using NodeMap = std::map<std::string, std::shared_ptr<const NodeRecord>>;
    using LayoutMap = std::map<std::string, QJsonObject>;
    struct Subgraph {
        std::shared_ptr<const Document> content;
        std::shared_ptr<const Node> type;
    };
    using SubgraphMap = std::map<std::string, Subgraph>;

    class FreeIds;

    static Document from_object(QJsonObject& root, const std::string& where);
    QJsonObject to_object() const;
    void set_subgraphs(std::map<std::string, std::shared_ptr<const Document>> contents);
    std::map<std::string, std::shared_ptr<const Document>> contents() const;

    bool same_content(const Document& other) const;
    void expect(const std::string& id) const;

    int format_ = document_format;
    std::string path_;
    std::shared_ptr<const NodeMap> nodes_;
    std::shared_ptr<const std::vector<Link>> links_;
    std::shared_ptr<const LayoutMap> layout_;
    std::shared_ptr<const SubgraphMap> subgraphs_;
    QJsonObject extra_;
};

}  // namespace nodes
