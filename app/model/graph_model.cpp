#include "app/model/graph_model.h"

#include <algorithm>
#include <cmath>

#include "app/model/apart.h"
#include "app/model/edit_command.h"
#include "gpu/base/error.h"
#include "nodes/core/lowering.h"
#include "nodes/core/subgraph.h"

namespace app {
namespace {

using nodes::Document;
using nodes::Endpoint;

constexpr int undo_limit = 500;        // steps; each may hold a copy of the document's maps
constexpr int validate_delay_ms = 60;  // so that a slider drag validates once, not per step
constexpr std::size_t many_nodes = 300;  // more are checked in a worker thread: some milliseconds for a hundred

nodes::Position position_of(QPointF point) { return {std::round(point.x()), std::round(point.y())}; }

Document moved(const Document& document, const std::map<NodeId, QPointF>& to) {
    std::map<NodeId, QJsonObject> layouts;
    for (const auto& [id, point] : to) {
        const nodes::Position at = position_of(point);
        if (document.has_position(id) && document.position(id) == at) continue;
        QJsonObject fields = document.layout_of(id);
        fields["x"] = at.x;
        fields["y"] = at.y;
        layouts[id] = fields;
    }
    return document.set_layouts(layouts);
}

// What is wrong with a document, or with the inside of one of its subgraphs.
std::vector<nodes::Problem> problems_of(const Document& document, bool inside) {
    if (document.node_ids().empty()) return {};
    std::vector<nodes::Problem> problems = inside ? nodes::validate_subgraph(document) : nodes::validate(document);
    for (nodes::Problem& problem : problems)      // what is wrong inside of a subgraph shows on its use
        if (const auto slash = problem.node.find('/'); slash != std::string::npos) {
            problem.message = problem.node.substr(slash + 1) + (problem.socket.empty() ? "" : "." + problem.socket) + ": " + problem.message;
            problem.node.resize(slash);
            problem.socket.clear();
        }
    return problems;
}

// The first socket of `node` (a record of `document`) that a wire from `from` may end in.
std::optional<SocketId> fitting_socket(const Document& document, const NodeId& node, const SocketId& from) {
    const nodes::Node* type = document.type_of(node);
    if (!type) return {};
    // An exact type goes before one that needs a conversion.
    std::optional<SocketId> first;
    for (const nodes::SocketInfo& socket : from.output ? type->inputs() : type->outputs()) {
        const SocketId id{node, socket.name, !from.output};
        const auto& [output, input] = from.output ? std::pair(from, id) : std::pair(id, from);
        if (!nodes::connect_problem(document, output.endpoint(), input.endpoint()).empty()) continue;
        const nodes::Node* other = document.type_of(from.node);
        const nodes::SocketInfo* other_socket =
            other ? (from.output ? other->output(from.name) : other->input(from.name)) : nullptr;
        if (other_socket && other_socket->type == socket.type) return id;
        if (!first) first = id;
    }
    return first;
}

}  // namespace

Gesture Gesture::next() {
    static std::uint64_t last = 0;  // the GUI thread is the only user
    Gesture gesture;
    gesture.number_ = ++last;
    return gesture;
}

GraphModel::GraphModel(QObject* parent) : QObject(parent) {
    undo_.setUndoLimit(undo_limit);
    connect(&undo_, &QUndoStack::cleanChanged, this, [this](bool clean) { emit dirty_changed(!clean); });
    validate_later_.setSingleShot(true);
    validate_later_.setInterval(validate_delay_ms);
    connect(&validate_later_, &QTimer::timeout, this, &GraphModel::validate_soon);
}

GraphModel::~GraphModel() { undo_.disconnect(this); }

// --- documents ---

void GraphModel::clear() { set_document(Document()); }

void GraphModel::load(const QString& path) { set_document(Document::load(path.toStdString())); }

void GraphModel::set_document(const Document& document) {
    undo_.clear();
    given_files_.clear();
    levels_.clear();
    document_ = document;
    read_frames();
    set_path(document.path());
    emit reset();
    emit edited();
    validate_soon();
}

void GraphModel::replace(const Document& document, const QString& text) {
    while (!levels_.empty()) leave();
    push(text, document.with_path(path_));
}

void GraphModel::save_as(const QString& path) {
    const std::string name = path.toStdString();
    const Document saved = whole();
    apart([&] { saved.save(name); });
    const bool same = whole() == saved;  // else something was edited meanwhile
    set_path(name);
    if (same) undo_.setClean();
}

void GraphModel::set_path(const std::string& path) {
    path_ = path;
    document_ = document_.with_path(path);
    outermost_ = outermost_.with_path(path);
    emit path_changed();
}

// --- subgraphs ---

Document GraphModel::whole_with(const Document& shown) const {
    if (levels_.empty()) return shown;
    Document whole = outermost_;
    for (const std::string& name : shown.subgraph_names())      // pasted ones
        if (whole.subgraph(name) != shown.subgraph(name)) whole = whole.set_subgraph(name, *shown.subgraph(name));
    return whole.set_subgraph(levels_.back().subgraph, shown);
}

Document GraphModel::whole() const { return whole_with(document_); }

void GraphModel::show(const Snapshot& next) {
    levels_ = next.levels;
    outermost_ = levels_.empty() ? Document() : next.whole.with_path(path_);
    document_ = (levels_.empty() ? next.whole : next.whole.inside(levels_.back().subgraph)).with_path(path_);
    read_frames();
    emit level_changed();
    emit edited();
    validate_soon();
}

void GraphModel::enter(const NodeId& use) {
    const nodes::NodeRecord* record = document_.find(use);
    const std::string name = record ? nodes::subgraph_of(record->type) : std::string();
    if (name.empty() || !document_.subgraph(name)) return;
    Snapshot next{whole(), levels_};
    next.levels.push_back({use, name});
    show(next);
}

void GraphModel::leave() {
    if (levels_.empty()) return;
    Snapshot next{whole(), levels_};
    next.levels.pop_back();
    show(next);
}

NodeId GraphModel::run_id(const NodeId& shown) const {
    NodeId id;
    for (const Level& level : levels_) id += level.use + "/";
    return id + shown;
}

std::optional<NodeId> GraphModel::shown_id(const NodeId& running) const {
    const NodeId prefix = run_id("");
    if (!running.starts_with(prefix)) return {};
    const NodeId id = running.substr(prefix.size(), running.find('/', prefix.size()) - prefix.size());
    return document_.contains(id) ? std::optional(id) : std::nullopt;
}

// --- reading by id ---

std::vector<LinkId> GraphModel::links() const {
    std::vector<LinkId> ids;
    for (const nodes::Link& link : document_.links()) ids.push_back({link.from, link.to});
    return ids;
}

std::vector<LinkId> GraphModel::links_of(const NodeId& id) const {
    if (&indexed_.links() != &document_.links()) {
        links_by_node_.clear();
        for (const nodes::Link& link : document_.links()) {
            links_by_node_[link.from.node].push_back({link.from, link.to});
            if (link.to.node != link.from.node) links_by_node_[link.to.node].push_back({link.from, link.to});
        }
        indexed_ = document_;      // holds on to the links, so that their address is theirs alone
    }
    const auto at = links_by_node_.find(id);
    return at == links_by_node_.end() ? std::vector<LinkId>() : at->second;
}

QPointF GraphModel::position(const NodeId& id) const {
    const nodes::Position position = document_.position(id);
    return {position.x, position.y};
}

const nodes::Node* GraphModel::declaration(const NodeId& id) const {
    const nodes::NodeRecord* record = document_.find(id);
    return record ? document_.type_of(*record) : nullptr;
}

bool GraphModel::param_is_set(const NodeId& id, const std::string& name) const {
    const nodes::NodeRecord* record = document_.find(id);
    return record && record->params.contains(qt(name));
}

std::set<NodeId> GraphModel::downstream_of(const std::set<NodeId>& ids) const {
    std::multimap<NodeId, NodeId> readers;
    for (const nodes::Link& link : document_.links()) readers.emplace(link.from.node, link.to.node);
    std::set<NodeId> found = ids;
    std::vector<NodeId> open(ids.begin(), ids.end());
    while (!open.empty()) {
        const auto [begin, end] = readers.equal_range(open.back());
        open.pop_back();
        for (auto at = begin; at != end; ++at)
            if (found.insert(at->second).second) open.push_back(at->second);
    }
    return found;
}

QString GraphModel::connect_problem(const SocketId& a, const SocketId& b) const {
    if (a.output == b.output)
        return a.output ? tr("A wire goes from an output to an input; both ends are outputs")
                        : tr("A wire goes from an output to an input; both ends are inputs");
    const auto& [from, to] = a.output ? std::pair(a, b) : std::pair(b, a);
    return qt(nodes::connect_problem(document_, from.endpoint(), to.endpoint()));
}

std::optional<nodes::Problem> GraphModel::worst_problem(const NodeId& id) const {
    std::optional<nodes::Problem> worst;
    for (const nodes::Problem& problem : problems_)
        if (problem.node == id &&
            (!worst || (worst->severity == nodes::Severity::Warning && problem.severity == nodes::Severity::Error)))
            worst = problem;
    return worst;
}

std::set<std::string> GraphModel::given_files() const {
    std::set<std::string> names;
    for (const auto& [param, name] : given_files_)
        if (!name.empty()) names.insert(name);
    return names;
}

void GraphModel::validate_now() {
    validate_later_.stop();
    checker_.drop();
    problems_ = problems_of(document_, !levels_.empty());
    emit problems_changed();
}

void GraphModel::validate_soon() {
    validate_later_.stop();
    if (document_.node_ids().size() <= many_nodes) return validate_now();
    checker_.start([document = document_, inside = !levels_.empty()] { return problems_of(document, inside); },
                   [this](std::vector<nodes::Problem> problems) {
                       problems_ = std::move(problems);
                       emit problems_changed();
                   });
}

// --- edits ---

void GraphModel::push(const QString& text, Document after, const QString& merge, const std::optional<Rename>& renamed) {
    if (after == document_) return;
    undo_.push(new EditCommand(*this, text, {whole(), levels_}, {whole_with(after), levels_}, merge,
                               renamed));  // the stack owns it
}

void GraphModel::apply(const Snapshot& snapshot, const std::optional<Rename>& renamed) {
    if (snapshot.levels != levels_) return show(snapshot);
    const Document next = levels_.empty() ? snapshot.whole : snapshot.whole.inside(levels_.back().subgraph);
    Difference changes = difference(document_, next);
    // Removed wires are told while their ends exist for a view, added ones once they do.
    document_ = next.with_path(path_);
    if (changes.frames || renamed) read_frames();
    if (!levels_.empty()) outermost_ = snapshot.whole.with_path(path_);
    for (const LinkId& link : changes.links_removed) emit link_removed(link);
    if (renamed) {
        std::erase(changes.removed, renamed->first);
        std::erase(changes.added, renamed->second);
        emit node_renamed(renamed->first, renamed->second);
    }
    for (const NodeId& id : changes.removed) emit node_removed(id);
    for (const NodeId& id : changes.added) emit node_added(id);
    for (const NodeId& id : changes.changed) emit node_changed(id);
    for (const NodeId& id : changes.moved) emit node_moved(id);
    for (const LinkId& link : changes.links_added) emit link_added(link);
    if (changes.frames || renamed) emit frames_changed();
    emit edited();
    validate_later_.start();
}

NodeId GraphModel::add_node(const std::string& type, QPointF at, const SocketId& link, const FrameId& frame) {
    const nodes::Node* known = document_.type_of(nodes::NodeRecord{.type = type});
    gpu::check(known != nullptr, gpu::ErrorCode::InvalidGraph,
               "add a node: expected a node type of this program, got '{}'", type);
    NodeId made;
    Document after = document_.add_node(type, {}, position_of(at), &made);
    if (!link.empty() && document_.contains(link.node))
        if (const auto socket = fitting_socket(after, made, link))
            after = link.output ? after.connect(link.endpoint(), socket->endpoint())
                                : after.connect(socket->endpoint(), link.endpoint());
    if (frames_.contains(frame)) after = nodes::put_into_frame(after, made, frame);
    push(tr("Add %1").arg(qt(known->info().title)), std::move(after));
    return made;
}

NodeId GraphModel::insert_node(const std::string& type, QPointF at, const LinkId& link) {
    const nodes::Node* known = document_.type_of(nodes::NodeRecord{.type = type});
    gpu::check(known != nullptr, gpu::ErrorCode::InvalidGraph,
               "add a node: expected a node type of this program, got '{}'", type);
    NodeId made;
    const Document cut = document_.disconnect(link.from, link.to).add_node(type, {}, position_of(at), &made);
    Document after = cut;
    if (const auto input = fitting_socket(cut, made, link.source())) {
        const Document fed = cut.connect(link.from, input->endpoint());
        if (const auto output = fitting_socket(fed, made, link.sink())) after = fed.connect(output->endpoint(), link.to);
    }
    if (after == cut) after = document_.add_node(type, made, position_of(at));
    if (const FrameId frame = frame_of(link.from.node); !frame.empty() && frame == frame_of(link.to.node)) after = nodes::put_into_frame(after, made, frame);
    push(tr("Insert into a wire"), std::move(after));
    return made;
}

void GraphModel::remove(const std::vector<NodeId>& ids, const std::vector<LinkId>& links) {
    const std::set<NodeId> gone(ids.begin(), ids.end());
    Document after = document_.remove_nodes(gone);
    std::vector<nodes::Link> cut;
    for (const LinkId& link : links) cut.push_back({.from = link.from, .to = link.to});
    after = nodes::without_empty_frames(after.disconnect_all(cut));
    push(ids.empty() ? tr("Remove %n wire(s)", nullptr, static_cast<int>(links.size()))
                     : tr("Remove %n node(s)", nullptr, static_cast<int>(ids.size())),
         std::move(after));
}

void GraphModel::dissolve(const std::vector<NodeId>& ids) {
    Document after = document_;
    for (const NodeId& id : ids) {
        if (!after.contains(id)) continue;
        const nodes::Node* type = after.type_of(id);
        const std::vector<nodes::Link> links = after.links_of(id);
        Document without = after.remove_node(id);
        for (const nodes::Link& link : links) {
            const std::string input = type && link.from.node == id ? nodes::passing_input(*type, link.from.socket) : std::string();
            if (const nodes::Link* source = input.empty() ? nullptr : after.link_into({id, input}))
                without = without.connect(source->from, link.to);
        }
        after = std::move(without);
    }
    push(tr("Dissolve %n node(s)", nullptr, static_cast<int>(ids.size())), nodes::without_empty_frames(after));
}

bool GraphModel::place_on_link(const NodeId& id, QPointF at, const LinkId& link) {
    const Document moved = document_.move(id, position_of(at));
    const Document cut = moved.disconnect(link.from, link.to);
    const SocketId source{link.from.node, link.from.socket, true}, sink{link.to.node, link.to.socket, false};
    const auto input = fitting_socket(cut, id, source);
    if (input) {
        const Document fed = cut.connect(source.endpoint(), input->endpoint());
        if (const auto output = fitting_socket(fed, id, sink)) {
            push(tr("Insert into a wire"), fed.connect(output->endpoint(), sink.endpoint()));
            return true;
        }
    }
    push(tr("Move %n node(s)", nullptr, 1), moved);
    return false;
}

void GraphModel::arrange(const std::map<NodeId, QSizeF>& sizes) { move_all(tr("Arrange"), layered(document_, sizes)); }

void GraphModel::align(const std::map<NodeId, QSizeF>& sizes, Edge edge) { move_all(tr("Align"), aligned(document_, sizes, edge)); }

void GraphModel::move_all(const QString& text, const std::map<NodeId, QPointF>& to) {
    push(text, moved(document_, to));
}

QString GraphModel::connect_sockets(const SocketId& a, const SocketId& b, const std::optional<LinkId>& instead) {
    const auto& [from, to] = a.output ? std::pair(a, b) : std::pair(b, a);
    if (instead && instead->from == from.endpoint() && instead->to == to.endpoint()) return {};
    if (const QString problem = connect_problem(a, b); !problem.isEmpty()) return problem;
    Document after = instead ? document_.disconnect(instead->from, instead->to) : document_;
    // Connecting what is connected would lose the link's unknown fields.
    const nodes::Link* former = after.link_into(to.endpoint());
    if (!former || former->from != from.endpoint()) after = after.connect(from.endpoint(), to.endpoint());
    push(tr("Connect"), std::move(after));
    return {};
}

void GraphModel::disconnect_link(const LinkId& link) {
    push(tr("Disconnect"), document_.disconnect(link.from, link.to));
}

void GraphModel::set_param(const NodeId& id, const std::string& name, const QJsonValue& value, Gesture gesture) {
    const QString merge =
        gesture.number() ? QStringLiteral("param %1 %2.%3").arg(gesture.number()).arg(qt(id), qt(name)) : QString();
    const nodes::Node* type = declaration(id);
    const nodes::ParamInfo* info = type ? type->param(name) : nullptr;
    if (info && (info->kind == nodes::ParamKind::InputFile || info->kind == nodes::ParamKind::OutputFile))
        given_files_[{id, name}] = value.toString().toStdString();
    const QString label = info ? qt(info->label) : qt(name);
    push(value.isUndefined() ? tr("Reset %1").arg(label) : tr("Change %1").arg(label),
         document_.set_param(id, name, value), merge);
}

void GraphModel::set_params(const NodeId& id, const QJsonObject& values, Gesture gesture) {
    const QString merge = gesture.number() ? QStringLiteral("params %1 %2").arg(gesture.number()).arg(qt(id)) : QString();
    Document after = document_;
    for (auto at = values.begin(); at != values.end(); ++at) after = after.set_param(id, at.key().toStdString(), at.value());
    push(tr("Change %1").arg(qt(id)), std::move(after), merge);
}

void GraphModel::move(const std::map<NodeId, QPointF>& to, Gesture gesture, const std::map<NodeId, FrameId>& into, const std::map<FrameId, FrameId>& nested) {
    Document after = moved(document_, to);
    const QString merge = gesture.number() ? QStringLiteral("move %1").arg(gesture.number()) : QString();
    for (const auto& [id, around] : nested) after = nodes::nest_frame(after, id, around);
    for (const auto& [id, frame] : into) after = nodes::put_into_frame(after, id, frame);
    push(tr("Move %n node(s)", nullptr, static_cast<int>(to.size())), std::move(after), merge);
}

void GraphModel::set_mode(const std::vector<NodeId>& ids, nodes::NodeMode mode) {
    Document after = document_.set_modes({ids.begin(), ids.end()}, mode);
    const int count = static_cast<int>(ids.size());
    push(mode == nodes::NodeMode::Muted      ? tr("Mute %n node(s)", nullptr, count)
         : mode == nodes::NodeMode::Bypassed ? tr("Bypass %n node(s)", nullptr, count)
                                             : tr("Switch on %n node(s)", nullptr, count),
         std::move(after));
}

NodeId GraphModel::group(const std::vector<NodeId>& ids) {
    std::string name = "group";
    for (int number = 2; document_.subgraph(name); ++number) name = "group" + std::to_string(number);
    NodeId use;
    push(tr("Make a subgraph"), nodes::grouped(document_, ids, name, &use));
    return use;
}

std::vector<NodeId> GraphModel::ungroup(const NodeId& use) {
    const std::vector<NodeId> before = document_.node_ids();
    push(tr("Dissolve a subgraph"), nodes::ungrouped(document_, use));
    std::vector<NodeId> made;
    std::ranges::set_difference(document_.node_ids(), before, std::back_inserter(made));
    return made;
}

QString GraphModel::rename(const NodeId& id, const QString& to) {
    const std::string wanted = to.trimmed().toStdString();
    if (wanted == id) return {};
    try {
        push(tr("Rename"), document_.rename(id, wanted), {}, Rename(id, wanted));
    } catch (const gpu::Error& error) {
        return qt(error.message());
    }
    return {};
}

}  // namespace app
