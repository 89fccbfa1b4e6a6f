#include "app/canvas/scene.h"

#include <QGraphicsSceneMouseEvent>
#include <QSignalBlocker>
#include <cmath>

namespace app {
namespace {

// Room to pan beyond any graph; the index of items does not depend on it.
const QRectF endless(-100000, -100000, 200000, 200000);

// Cards and wires of one turn of the event loop: some milliseconds.
constexpr int slice_size = 128;

}  // namespace

GraphScene::GraphScene(GraphModel& model, RunController& runs, QObject* parent)
    : QGraphicsScene(endless, parent), model_(model), runs_(runs) {
    connect(&model_, &GraphModel::reset, this, &GraphScene::rebuild);
    connect(&model_, &GraphModel::level_changed, this, &GraphScene::rebuild);
    connect(&model_, &GraphModel::node_added, this, &GraphScene::add_node);
    connect(&model_, &GraphModel::node_removed, this, &GraphScene::remove_node);
    connect(&model_, &GraphModel::node_renamed, this, &GraphScene::rename_node);
    connect(&model_, &GraphModel::node_changed, this, &GraphScene::refresh);
    connect(&model_, &GraphModel::node_moved, this, [this](const NodeId& id) {
        if (NodeItem* node = item(id)) node->setPos(model_.position(id));
    });
    connect(&model_, &GraphModel::link_added, this, &GraphScene::add_link);
    connect(&model_, &GraphModel::link_removed, this, &GraphScene::remove_link);
    connect(&model_, &GraphModel::problems_changed, this, [this] {
        std::map<NodeId, nodes::Problem> now;
        for (const nodes::Problem& problem : model_.problems()) {
            const auto [at, added] = now.emplace(problem.node, problem);
            if (!added && at->second.severity == nodes::Severity::Warning) at->second = problem;
        }
        problems_.swap(now);
        for (const auto* side : {&now, &problems_})
            for (const auto& [id, problem] : *side) {
                const auto* other = side == &now ? &problems_ : &now;
                const auto at = other->find(id);
                if (at != other->end() && at->second.severity == problem.severity && at->second.message == problem.message) continue;
                if (NodeItem* node = item(id)) node->forget_picture();
            }
    });
    fit_later_.setSingleShot(true);
    fit_later_.setInterval(0);
    connect(&fit_later_, &QTimer::timeout, this, &GraphScene::fit_frames);
    connect(&model_, &GraphModel::frames_changed, this, &GraphScene::sync_frames);
    lay_out_later_.setSingleShot(true);
    lay_out_later_.setInterval(0);
    connect(&lay_out_later_, &QTimer::timeout, this, &GraphScene::lay_out_slice);
    connect(&model_, &GraphModel::edited, this, [this] {
        lay_out_few();
        fit_frames();
        if (std::exchange(deselected_, false)) emit selectionChanged();
    });
    connect(this, &QGraphicsScene::selectionChanged, this, [this] {
        grasp({});
        for (const auto& [id, frame] : frames_) frame->refresh_selected();
    });
    connect(&runs_, &RunController::status_changed, this, [this](const NodeId& id) {
        if (NodeItem* node = item(id)) node->refresh_status();
    });
    connect(&runs_, &RunController::thumbnail_changed, this, [this](const NodeId& id) {
        if (NodeItem* node = item(id)) node->refresh_thumbnail();
    });
    connect(&runs_, &RunController::values_changed, this, [this](const NodeId& id) {
        if (NodeItem* node = showing_memory_ ? item(id) : nullptr) node->forget_picture();
    });
    rebuild();
}

GraphScene::~GraphScene() {
    // Items are the maps' own: they leave before the base class would delete them.
    const QSignalBlocker quiet(this);
    loose_.reset();
    inside_out_.clear();
    frames_.clear();
    wires_.clear();
    nodes_.clear();
    gone_.clear();
}

// --- laying out in slices ---

void GraphScene::lay_out_later(const NodeId& id) {
    stale_.push_back(id);
    if (stale_.size() == slice_size) update();  // where all is drawn anew nobody joins the regions of single cards
    if (!lay_out_later_.isActive()) lay_out_later_.start();
}

// Nobody sees or finds it from here on; what it costs to delete is paid later.
void GraphScene::let_go(std::unique_ptr<QGraphicsItem> item) {
    // One that goes with its selection tells, and who hears it asks for all others: once for the whole edit is enough.
    const QSignalBlocker quiet(this);
    deselected_ |= item->isSelected();
    item->hide();
    gone_.push_back(std::move(item));
    if (!lay_out_later_.isActive()) lay_out_later_.start();
}

void GraphScene::lay_out_slice() {
    int done = 0;
    while (!stale_.empty() && done < slice_size) {
        NodeItem* node = item(stale_.front());
        stale_.pop_front();
        if (!node || !node->waits()) continue;
        node->lay_out();
        ++done;
    }
    while (stale_.empty() && !unwired_.empty() && done < slice_size) {
        const LinkId link = std::move(unwired_.front());
        unwired_.pop_front();
        const nodes::Link* now = model_.document().link_into(link.to);
        if (!now || wires_.contains(link) || !item(link.from.node) || !item(link.to.node)) continue;
        add_wire(link);
        ++done;
    }
    if (!gone_.empty()) {
        const QSignalBlocker quiet(this);  // Qt still counts them among those that are selected
        for (; !gone_.empty() && done < slice_size; ++done) gone_.pop_back();
    }
    counts_.slices++;
    counts_.largest_slice = std::max(counts_.largest_slice, done);
    if (laying_out()) {
        put_off_ = true;
        return lay_out_later_.start();
    }
    lay_out_later_.stop();
    if (std::exchange(put_off_, false)) emit all_laid_out();
}

void GraphScene::lay_out_few() {
    if (stale_.size() + unwired_.size() + gone_.size() <= slice_size)
        lay_out_slice();
    else if (!lay_out_later_.isActive())
        lay_out_later_.start();
}

void GraphScene::set_showing_memory(bool on) {
    showing_memory_ = on;
    for (const auto& [id, node] : nodes_) node->forget_picture();
}

// --- following the model ---

void GraphScene::rebuild() {
    cancel_drag();
    const bool selected = !selectedItems().isEmpty();
    {
        const QSignalBlocker quiet(this);  // items that go would tell of a selection among those that are gone
        inside_out_.clear();
        frames_.clear();
        attached_.clear();
        for (auto& [link, wire] : wires_) let_go(std::move(wire));
        for (auto& [id, node] : nodes_) let_go(std::move(node));
        wires_.clear();
        nodes_.clear();
    }
    deselected_ = false;
    stale_.clear();
    unwired_.clear();
    problems_.clear();
    for (const NodeId& id : model_.node_ids()) add_node(id);
    for (const LinkId& link : model_.links()) unwired_.push_back(link);
    lay_out_few();
    rebuild_frames();
    if (selected) emit selectionChanged();
}

void GraphScene::add_node(const NodeId& id) {
    auto item = std::make_unique<NodeItem>(*this, id);
    addItem(item.get());
    nodes_[id] = std::move(item);
}

void GraphScene::remove_node(const NodeId& id) {
    if (drag_source_.node == id) cancel_drag();
    attached_.erase(id);  // its wires went before it
    if (auto gone = nodes_.extract(id)) let_go(std::move(gone.mapped()));
}

void GraphScene::rename_node(const NodeId& from, const NodeId& to) {
    auto entry = nodes_.extract(from);
    if (!entry) return;
    entry.key() = to;
    NodeItem* node = entry.mapped().get();
    nodes_.insert(std::move(entry));
    node->set_id(to);
}

void GraphScene::add_link(const LinkId& link) {
    refresh(link.from.node);  // sockets change from open to linked, unknown ones appear
    refresh(link.to.node);
    unwired_.push_back(link);
    if (!lay_out_later_.isActive()) lay_out_later_.start();
}

void GraphScene::add_wire(const LinkId& link) {
    auto wire = std::make_unique<WireItem>(link);
    place_wire(*wire);
    addItem(wire.get());
    attached_[link.from.node].insert(wire.get());
    attached_[link.to.node].insert(wire.get());
    wires_[link] = std::move(wire);
}

void GraphScene::remove_link(const LinkId& link) {
    if (drag_taken_ == link) cancel_drag();
    if (const auto at = wires_.find(link); at != wires_.end()) {
        attached_[link.from.node].erase(at->second.get());
        attached_[link.to.node].erase(at->second.get());
        let_go(std::move(at->second));
        wires_.erase(at);
    }
    refresh(link.from.node);
    refresh(link.to.node);
}

void GraphScene::refresh(const NodeId& id) {
    if (NodeItem* node = item(id); node && model_.contains(id)) node->refresh();
}

NodeItem* GraphScene::item(const NodeId& id) const {
    const auto at = nodes_.find(id);
    return at == nodes_.end() ? nullptr : at->second.get();
}

QColor GraphScene::socket_colour(const SocketId& id) const {
    if (const NodeItem* node = item(id.node))
        for (const SocketLook& socket : id.output ? node->shown_look().outputs : node->shown_look().inputs)
            if (socket.id == id) return socket.colour;
    return canvas_style().dim_text;
}

QPointF GraphScene::socket_position(const SocketId& id) const {
    const NodeItem* node = item(id.node);
    if (node) (void)node->geometry();  // laid out
    return node ? node->socket_centre(id) : QPointF();
}

void GraphScene::place_wire(WireItem& wire) {
    const LinkId& link = *wire.link();
    // As the cards are now: each of them that is still to be laid out places its wires again.
    const NodeItem *from = item(link.from.node), *to = item(link.to.node);
    wire.set_ends(from ? from->socket_centre(link.source()) : QPointF(), to ? to->socket_centre(link.sink()) : QPointF());
    wire.set_colours(socket_colour(link.source()), socket_colour(link.sink()));
}

void GraphScene::update_wires(const NodeId& id) {
    if (const auto at = attached_.find(id); at != attached_.end())
        for (WireItem* wire : at->second) place_wire(*wire);
}

QRectF GraphScene::content() const {
    QRectF area;
    for (const auto& [id, node] : nodes_) area |= node->card_in_scene();
    for (const auto& [id, frame] : frames_) area |= frame->box();  // one that was enlarged by hand is larger than its nodes
    return area;
}

std::vector<NodeId> GraphScene::selected_nodes() const {
    std::vector<NodeId> ids;
    for (const auto& [id, node] : nodes_)
        if (node->isSelected()) ids.push_back(id);
    return ids;
}

std::vector<LinkId> GraphScene::selected_links() const {
    std::vector<LinkId> links;
    for (const auto& [link, wire] : wires_)
        if (wire->isSelected()) links.push_back(link);
    return links;
}

void GraphScene::select(const std::vector<NodeId>& ids) {
    {
        const QSignalBlocker quiet(this);  // one signal for the whole change
        // As above: joining regions costs far more than painting the cards.
        if (ids.size() + static_cast<std::size_t>(selectedItems().size()) > slice_size) update();
        clearSelection();
        for (const NodeId& id : ids)
            if (NodeItem* node = item(id)) node->setSelected(true);
    }
    emit selectionChanged();
}

void GraphScene::select_made(const std::vector<NodeId>& ids) {
    if (ids.size() <= slice_size) return select(ids);
    constexpr int after_painting_ms = 1;
    QTimer::singleShot(after_painting_ms, this, [this, ids] { select(ids); });
}

void GraphScene::remove_selection() {
    const auto ids = selected_nodes();
    const auto links = selected_links();
    if (!ids.empty() || !links.empty()) model_.remove(ids, links);
}

std::map<NodeId, QSizeF> GraphScene::sizes_of_selection() const {
    std::map<NodeId, QSizeF> sizes;
    for (const NodeId& id : selected_nodes()) sizes[id] = item(id)->geometry().card.size();
    if (sizes.empty())
        for (const auto& [id, node] : nodes_) sizes[id] = node->geometry().card.size();
    return sizes;
}

void GraphScene::restyle() {
    for (auto& [id, node] : nodes_) node->refresh();
    lay_out_slice();
    update();
}

std::optional<nodes::Problem> GraphScene::problem(const NodeId& id) const {
    const auto at = problems_.find(id);
    return at == problems_.end() ? std::nullopt : std::optional(at->second);
}

// --- gestures ---

SocketId GraphScene::socket_at(QPointF point) const {
    SocketId best;
    qreal best_distance = canvas_style().socket_reach;
    const qreal reach = canvas_style().socket_reach;
    for (QGraphicsItem* any :
         items(QRectF(point.x() - reach, point.y() - reach, 2 * reach, 2 * reach), Qt::IntersectsItemBoundingRect)) {
        const auto* node = qgraphicsitem_cast<NodeItem*>(any);
        if (!node) continue;
        const SocketPlace* place = node->geometry().socket_at(node->mapFromScene(point), best_distance);
        if (!place) continue;
        const QPointF delta = node->mapToScene(place->centre) - point;
        best = place->id;
        best_distance = std::hypot(delta.x(), delta.y());
    }
    return best;
}

void GraphScene::mousePressEvent(QGraphicsSceneMouseEvent* event) {
    if (event->button() == Qt::LeftButton) {
        if (const SocketId socket = socket_at(event->scenePos()); !socket.empty()) {
            const nodes::Link* link = socket.output ? nullptr : model_.document().link_into(socket.endpoint());
            if (link)  // pick up the end that sits in the input
                start_drag({link->from.node, link->from.socket, true}, LinkId{link->from, link->to}, event->scenePos());
            else
                start_drag(socket, {}, event->scenePos());
            event->accept();
            return;
        }
        moving_ = true;
    }
    QGraphicsScene::mousePressEvent(event);
}

void GraphScene::mouseMoveEvent(QGraphicsSceneMouseEvent* event) {
    if (dragging()) {
        move_drag(event->scenePos());
        event->accept();
        return;
    }
    QGraphicsScene::mouseMoveEvent(event);
    if (moving_ && !frames_.empty()) fit_moving_frames();
}

void GraphScene::mouseReleaseEvent(QGraphicsSceneMouseEvent* event) {
    if (dragging() && event->button() == Qt::LeftButton) {
        finish_drag(event->scenePos());
        event->accept();
        return;
    }
    QGraphicsScene::mouseReleaseEvent(event);
    if (event->button() == Qt::LeftButton) {
        store_moves();
        moving_ = false;
        fit_frames();
    }
}

void GraphScene::mouseDoubleClickEvent(QGraphicsSceneMouseEvent* event) {
    if (event->button() == Qt::LeftButton && socket_at(event->scenePos()).empty()) {
        for (QGraphicsItem* any : items(event->scenePos()))
            if (const auto* node = qgraphicsitem_cast<NodeItem*>(any)) {
                emit node_activated(node->id());
                event->accept();
                return;
            }
        event->accept();
        if (const FrameItem* frame = frame_grip_at(event->scenePos())) {
            model_.set_frame_size(frame->id(), {});
        } else if (const FrameItem* frame = frame_title_at(event->scenePos())) {
            emit frame_activated(frame->id());
        } else if (const WireItem* wire = wire_at(event->scenePos())) {
            add_reroute(*wire->link(), event->scenePos());
        } else {
            emit search_wanted(event->scenePos(), {});
        }
        return;
    }
    QGraphicsScene::mouseDoubleClickEvent(event);
}

void GraphScene::store_moves() {
    std::map<NodeId, QPointF> moved;
    for (const auto& [id, node] : nodes_)
        if (const QPointF now(std::round(node->x()), std::round(node->y())); now != model_.position(id))
            moved[id] = now;
    if (moved.size() == 1)      // dropped on a wire: the wire leads through it
        if (const auto& [id, at] = *moved.begin(); const WireItem* wire = wire_under(*item(id))) {
            model_.place_on_link(id, at, *wire->link());
            return;
        }
    if (moved.empty()) return;
    const Dropped into = dropped_into(moved);
    model_.move(moved, Gesture::none(), into.nodes, into.frames);
}

const WireItem* GraphScene::wire_at(QPointF point) const {
    for (QGraphicsItem* any : items(point))
        if (const auto* wire = qgraphicsitem_cast<WireItem*>(any); wire && wire->link()) return wire;
    return nullptr;
}

void GraphScene::add_reroute(const LinkId& link, QPointF at) {
    const Style& style = canvas_style();
    select({model_.insert_node("flow.reroute", at - QPointF(style.bend_size.width(), style.bend_size.height()) / 2, link)});
}

const WireItem* GraphScene::wire_under(const NodeItem& node) const {
    if (!model_.links_of(node.id()).empty()) return nullptr;
    const QRectF card = node.card_in_scene();
    const QRectF middle = card.adjusted(card.width() / 4, card.height() / 4, -card.width() / 4, -card.height() / 4);
    for (QGraphicsItem* any : items(middle, Qt::IntersectsItemShape))
        if (const auto* wire = qgraphicsitem_cast<WireItem*>(any); wire && wire->link()) return wire;
    return nullptr;
}

void GraphScene::start_drag(SocketId from, std::optional<LinkId> taken, QPointF at) {
    partners_ = model_.partners(from);
    drag_source_ = std::move(from);
    drag_taken_ = std::move(taken);
    loose_ = std::make_unique<WireItem>();
    const QColor colour = socket_colour(drag_source_);
    loose_->set_colours(colour, colour);
    addItem(loose_.get());
    if (drag_taken_)
        if (const auto wire = wires_.find(*drag_taken_); wire != wires_.end()) wire->second->setVisible(false);
    move_drag(at);
    update();
}

void GraphScene::move_drag(QPointF at) {
    // The loose end snaps to a socket that would take it.
    const SocketId near = socket_at(at);
    const QPointF end = partners_.contains(near) ? socket_position(near) : at;
    const QPointF source = socket_position(drag_source_);
    drag_source_.output ? loose_->set_ends(source, end) : loose_->set_ends(end, source);
}

void GraphScene::cancel_drag() {
    if (drag_taken_)
        if (const auto wire = wires_.find(*drag_taken_); wire != wires_.end()) wire->second->setVisible(true);
    drag_source_ = {};
    drag_taken_.reset();
    partners_.clear();
    loose_.reset();
    update();
}

void GraphScene::finish_drag(QPointF at) {
    const SocketId source = drag_source_;
    const SocketId target = socket_at(at);
    const std::optional<LinkId> taken = drag_taken_;
    cancel_drag();
    if (target == source) return;
    if (!target.empty()) {
        if (const QString problem = model_.connect_sockets(source, target, taken); !problem.isEmpty())
            emit message(problem);
        return;
    }
    const QPointF way = at - socket_position(source);
    if (taken)
        model_.disconnect_link(*taken);
    else if (std::hypot(way.x(), way.y()) > 2 * canvas_style().socket_reach)  // a click on a socket is no drag
        emit search_wanted(at, source);
}

}  // namespace app
