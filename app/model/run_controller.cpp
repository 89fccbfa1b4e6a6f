#include "app/model/run_controller.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QPointer>
#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/base/switches.h"
#include "gpu/vulkan/device_scope.h"
#include "nodes/core/lowering.h"
#include "nodes/core/paths.h"
#include "nodes/core/peek.h"

namespace app {
namespace {

constexpr int thumbnail_side = 320;     // pixels; twice what a node shows, for zoom and HiDPI
constexpr int whole_picture = 1 << 20;  // larger than any picture: no scaling

constexpr int cancel_poll_ms = 20;

// The entry of a node; of one that ran once for every element of a list, "sample/07", that of the last element which has one.
template <typename Map>
typename Map::const_iterator entry_of(const Map& map, const NodeId& id) {
    if (const auto own = map.find(id); own != map.end()) return own;
    auto found = map.end();
    for (auto at = map.lower_bound(id + "/"); at != map.end() && at->first.starts_with(id + "/"); ++at)
        if (at->first.find_first_not_of("0123456789", id.size() + 1) == std::string::npos) found = at;
    return found;
}

using nodes::NodeState;

// Runs on a worker thread, where nothing may throw.
QImage picture_of(const nodes::Value& value, int max_side) {
    try {
        return value.preview(max_side);
    } catch (const std::exception& error) {
        gpu::log("editor", gpu::LogLevel::Warning, "make a preview of a {}: {}", value.type()->name, error.what());
        return {};
    }
}

// With those inside of subgraphs; a subgraph that holds itself, which never runs, is not opened.
nodes::Document all_nodes(const nodes::Document& document) {
    try {
        return nodes::expanded(document);
    } catch (const gpu::Error&) {
        return document;
    }
}

}  // namespace

struct RunController::Mailbox {
    struct Letter {
        int run = 0;
        std::vector<nodes::Event> events;
        std::optional<nodes::RunResult> result;
    };

    std::mutex mutex;
    std::vector<Letter> letters;
    bool called = false;

    // From the engine's thread. Asks the GUI thread to look once per batch.
    void post(RunController* owner, Letter letter) {
        const std::lock_guard lock(mutex);
        letters.push_back(std::move(letter));
        if (std::exchange(called, true)) return;
        QMetaObject::invokeMethod(
            owner, [owner] { owner->drain(); }, Qt::QueuedConnection);
    }
    std::vector<Letter> take() {
        const std::lock_guard lock(mutex);
        called = false;
        return std::exchange(letters, {});
    }
};

RunController::RunController(GraphModel& model, QObject* parent)
    : QObject(parent), model_(model), mailbox_(std::make_shared<Mailbox>()) {
    pictures_.setMaxThreadCount(1);
    cancel_watch_.setInterval(cancel_poll_ms);
    connect(&cancel_watch_, &QTimer::timeout, this, &RunController::watch_cancel);
    runner_ = std::make_unique<nodes::Runner>(
        [this](int run, const nodes::Event& event) { mailbox_->post(this, {.run = run, .events = {event}}); },
        [this](int run, const nodes::RunResult& result) { mailbox_->post(this, {.run = run, .result = result}); });
    connect(&model_, &GraphModel::reset, this, [this] {
        ++graph_;
        thumbnails_.clear();
        edited_.clear();
        edited_in_run_.clear();
        found_.clear();
        watched_.clear();
        if (running_) return;
        forget_all();
        values_.clear();
    });
    connect(&model_, &GraphModel::node_removed, this, [this](const NodeId& shown) {
        const NodeId id = model_.run_id(shown);
        found_.erase(id);
        std::erase(watched_, id);
        if (!of_shown_graph()) return;
        status_.erase(id);
        thumbnails_.erase(id);
        values_.erase(id);
    });
    connect(&model_, &GraphModel::node_renamed, this, &RunController::rename);
    connect(&model_, &GraphModel::node_changed, this, &RunController::mark_stale);
    connect(&model_, &GraphModel::link_added, this, [this](const LinkId& link) { mark_stale(link.to.node); });
    connect(&model_, &GraphModel::link_removed, this, [this](const LinkId& link) { mark_stale(link.to.node); });
    connect(&model_, &GraphModel::edited, this, &RunController::mark_edited);
}

RunController::~RunController() {
    runner_->cancel();
    pictures_.waitForDone();  // what looks in the runner's cache
    runner_.reset();
    pictures_.waitForDone();
}

RunRequest RunController::request(const std::vector<NodeId>& targets) const {
    RunRequest made{model_.whole(), {}, graph_};
    for (const NodeId& id : targets) made.options.targets.push_back(model_.run_id(id));
    made.options.output_folder = output_folder_.toStdString();
    made.options.allowed = allowed_places();
    made.options.devices = used_devices_;
    if (targets.empty()) made.options.watched = watched_;
    return made;
}

void RunController::start_request(RunRequest request) {
    forget_all();
    if (std::exchange(run_graph_, request.graph) != request.graph) {
        thumbnails_.clear();
        values_.clear();
    }
    if (!of_shown_graph()) still_good_.clear();
    run_document_ = request.document;
    if (of_shown_graph()) note_edits_since(run_document_);
    run_ = runner_->start(run_document_, std::move(request.options));
    cancel_watch_.stop();
    set_paused(false);
    set_running(true);
    emit run_started(run_);
}

void RunController::set_devices(const QStringList& selectors) {
    devices_ = selectors;
    used_devices_.clear();
    bool own = false;
    for (const QString& name : selectors) {
        const std::string selector = name.toStdString();
        if (!own && selector == gpu::switches().device) {  // is open already, or will be, for pictures of results
            own = true;
            used_devices_.push_back(nullptr);
            continue;
        }
        const auto is_free = [&](const auto& slot) { return slot->selector == selector && std::ranges::find(used_devices_, slot) == used_devices_.end(); };
        auto at = std::ranges::find_if(known_devices_, is_free);
        if (at == known_devices_.end()) at = known_devices_.insert(at, std::make_shared<gpu::DeviceSlot>(selector));
        used_devices_.push_back(*at);
    }
}

// A document from a stranger reaches its own folder and the output's, and what the person at the window chose.
std::vector<std::string> RunController::allowed_places() const {
    const std::string document_folder = model_.document().folder();
    const std::string output_folder = (output_folder_.isEmpty() ? QDir::currentPath() : output_folder_).toStdString();
    std::vector<std::string> places{output_folder};
    if (!document_folder.empty()) places.push_back(document_folder);
    for (const QString& path : allowed_) places.push_back(path.toStdString());
    for (const std::string& name : model_.given_files()) {
        for (const std::string& folder : {document_folder, output_folder}) {
            const QString path = QDir(qt(folder)).absoluteFilePath(qt(name));
            if (!QFileInfo(path).isDir())
                places.push_back(path.toStdString());  // a file was given, not all in a folder
        }
    }
    return places;
}

nodes::FilePlaces RunController::places() const {
    return {.document_folder = model_.document().folder(), .output_folder = output_folder_.toStdString(), .allowed = allowed_places()};
}

QStringList RunController::files_outside() const {
    const nodes::FilePlaces places = this->places();
    QStringList outside;
    const nodes::Document document = all_nodes(model_.whole());
    for (const NodeId& id : document.node_ids()) {
        const nodes::Node* type = document.type_of(id);
        if (!type) continue;
        for (const nodes::ParamInfo& info : type->params()) {
            const bool reads = info.kind == nodes::ParamKind::InputFile;
            if (!reads && info.kind != nodes::ParamKind::OutputFile) continue;
            const std::string name = document.param(id, info.name).toString().toStdString();
            const std::string path = reads ? nodes::resolve_input(places, name) : nodes::resolve_output(places, name);
            if (path.empty()) continue;
            const bool allowed = reads ? nodes::path_readable(places, path) : nodes::path_allowed(places, path);
            if (!allowed) outside.push_back(qt(path));
        }
    }
    outside.removeDuplicates();
    return outside;
}

void RunController::cancel() {
    if (!running_) return;
    runner_->cancel();
    cancel_watch_.start();
}

void RunController::pause() {
    if (!running_) return;
    runner_->pause();
    set_paused(true);
}

void RunController::resume() {
    runner_->resume();
    set_paused(false);
}

void RunController::set_paused(bool paused) {
    if (std::exchange(paused_, paused) != paused) emit paused_changed(paused);
}

void RunController::watch_cancel() {
    if (runner_->busy()) return;
    cancel_watch_.stop();
    drain();
    if (running_) end({.status = nodes::RunStatus::Cancelled});
}

void RunController::set_running(bool running) {
    if (std::exchange(running_, running) != running) emit running_changed(running);
}

void RunController::forget_all() {
    // Thumbnails stay until a new one comes: no flicker, and an undo keeps them.
    std::set<NodeId> ids;
    still_good_.clear();
    for (const auto& [id, status] : status_) {
        ids.insert(id);
        if (!status.stale && (status.state == NodeState::Done || status.state == NodeState::Cached))
            still_good_.insert(id);
    }
    status_.clear();
    edited_in_run_.clear();
    finished_ = planned_ = 0;
    const nodes::Document whole = of_shown_graph() ? model_.whole() : nodes::Document();
    const auto gone = [&](const auto& entry) { return !whole.contains(entry.first.substr(0, entry.first.find('/'))); };
    std::erase_if(thumbnails_, gone);
    std::erase_if(values_, gone);
    tell_status(ids);
    emit tally_changed();
}

void RunController::drain() {
    for (Mailbox::Letter& letter : mailbox_->take()) {
        if (letter.run != run_) continue;  // of a run that was replaced
        if (!running_) {      // it has ended, and what it still wrote then has failed
            for (const nodes::Event& event : letter.events)
                if (const auto* late = std::get_if<nodes::event::Failure>(&event)) emit failed({}, {}, qt(late->failure.message));
            continue;
        }
        for (const nodes::Event& event : letter.events) handle(event);
        if (letter.result) end(*letter.result);
    }
    tell_status(std::exchange(touched_, {}));
}

// Views know the nodes of the level that they show.
void RunController::tell_status(const std::set<NodeId>& running) {
    if (!of_shown_graph()) return;
    std::set<NodeId> shown;
    for (const NodeId& id : running)
        if (const auto local = model_.shown_id(id)) shown.insert(*local);
    for (const NodeId& id : shown) emit status_changed(id);
}

struct RunController::Visitor {
    RunController& self;

    NodeStatus& status(const NodeId& id) {
        self.touched_.insert(id);
        return self.status_[id];
    }
    void count() {
        ++self.finished_;
        emit self.tally_changed();
    }

    void operator()(const nodes::event::Plan& plan) {
        self.planned_ = static_cast<int>(plan.nodes.size());
        for (const NodeId& id : plan.nodes) status(id).state = NodeState::Pending;
        // A run does not visit what only feeds cached results: those nodes hold as well.
        for (const NodeId& id : std::exchange(self.still_good_, {}))
            if (std::ranges::find(plan.nodes, id) == plan.nodes.end()) status(id).state = NodeState::Cached;
        emit self.tally_changed();
    }
    void operator()(const nodes::event::State& state) { status(state.node).state = state.state; }
    void operator()(const nodes::event::NodeStart& start) { status(start.node).state = NodeState::Running; }
    void operator()(const nodes::event::Progress& progress) {
        NodeStatus& now = status(progress.node);
        now.done = progress.done;
        now.total = progress.total;
        now.eta = progress.eta;
    }
    void operator()(const nodes::event::Paused&) {}  // set_paused() told already
    void operator()(const nodes::event::Preview& preview) {
        if (!self.of_shown_graph()) return;
        self.thumbnails_[preview.node] = preview.image;
        if (const auto shown = self.model_.shown_id(preview.node)) emit self.thumbnail_changed(*shown);
    }
    void operator()(const nodes::event::NodeEnd& end) {
        NodeStatus& now = status(end.node);
        now.ms = end.ms;
        count();
    }
    void operator()(const nodes::event::Produced& produced) {
        if (self.of_shown_graph()) self.found_.erase(produced.node);
        auto& values = self.values_[produced.node];
        const auto at = std::ranges::find(values, produced.socket, &OutputValue::socket);
        const bool first = at == values.end() ? values.empty() : at == values.begin();
        if (at == values.end())
            values.push_back({produced.socket, produced.value});
        else
            at->value = produced.value;
        if (!self.of_shown_graph()) return;
        if (first) self.make_thumbnail(produced.node, produced.value);
        if (const auto shown = self.model_.shown_id(produced.node)) emit self.values_changed(*shown);
    }
    void operator()(const nodes::event::Output& output) { emit self.wrote(output.node, qt(output.path), output.bytes); }
    void operator()(const nodes::event::Metric& metric) {
        emit self.metric(metric.node, qt(metric.name), metric.value, qt(metric.unit));
    }
    void operator()(const nodes::event::Warning& warning) {
        status(warning.node).message = qt(warning.message);
        emit self.warned(warning.node, qt(warning.message));
    }
    void operator()(const nodes::event::Failure& event) {
        const nodes::NodeFailure& failure = event.failure;
        NodeStatus& now = status(failure.node);
        now.state = NodeState::Failed;
        now.message = qt(failure.message);
        now.socket = failure.socket;
        count();
        emit self.failed(failure.node, failure.socket, qt(failure.message));
    }
    void operator()(const nodes::event::End&) {}  // the result follows
};

void RunController::handle(const nodes::Event& event) { std::visit(Visitor{*this}, event); }

void RunController::end(const nodes::RunResult& result) {
    for (auto& [id, status] : status_)
        if (status.state == NodeState::Pending || status.state == NodeState::Running) {
            status.state = NodeState::Idle;
            touched_.insert(id);
        }
    QStringList problems;
    for (const nodes::Problem& problem : result.problems) problems.push_back(qt(problem.text()));
    cancel_watch_.stop();
    set_paused(false);
    set_running(false);
    tell_status(std::exchange(touched_, {}));
    edited_ = std::exchange(edited_in_run_, {});
    mark_edited();
    emit finished(result.status, result.ms, problems);
}

// What differs between a snapshot and the document is as good as edited during the snapshot's run.
void RunController::note_edits_since(const nodes::Document& then) {
    const nodes::Document now = model_.whole();
    if (const auto changed = now.changed_since(then); changed && changed->empty()) return;
    const nodes::Document before = all_nodes(then), after = all_nodes(now);
    for (const NodeId& id : after.node_ids()) {
        const nodes::NodeRecord* former = before.find(id);
        if (former && *former == after.node(id) && std::ranges::equal(before.links_into(id), after.links_into(id))) continue;
        if (const auto shown = model_.shown_id(id)) edited_in_run_.insert(*shown);
    }
}

double RunController::progress() const {
    if (planned_ <= 0) return 0;
    double done = finished_;
    for (const auto& [id, status] : status_)
        if (status.state == NodeState::Running && status.total > 0) done += std::min(1.0, static_cast<double>(status.done) / static_cast<double>(status.total));
    return std::min(1.0, done / planned_);
}

// What was edited, and all that depends on it, is stale: once for an edit of many nodes.
void RunController::mark_edited() {
    std::set<NodeId> ids = std::exchange(edited_, {});
    if (ids.empty() || !of_shown_graph()) return;
    if (running_) return edited_in_run_.merge(ids);  // the run works on its snapshot; its facts are of the graph before the edit
    std::erase_if(ids, [this](const NodeId& id) { return !model_.contains(id); });
    if (ids.empty() || status_.empty()) return;
    std::set<NodeId> changed;
    for (const NodeId& reader : model_.downstream_of(ids)) {
        const NodeId own = model_.run_id(reader), inside = own + "/";
        for (auto at = status_.lower_bound(own); at != status_.end() && (at->first == own || at->first.starts_with(inside)); ++at)
            if (!std::exchange(at->second.stale, true)) changed.insert(at->first);
    }
    tell_status(changed);
}

void RunController::rename(const NodeId& shown_from, const NodeId& shown_to) {
    const NodeId from = model_.run_id(shown_from), to = model_.run_id(shown_to);
    const auto move_entry = [&](auto& map) {
        if (auto node = map.extract(from)) {
            map.erase(to);
            node.key() = to;
            map.insert(std::move(node));
        }
    };
    move_entry(found_);
    std::ranges::replace(watched_, from, to);
    if (!of_shown_graph()) return;
    move_entry(status_);
    move_entry(thumbnails_);
    move_entry(values_);
}

NodeStatus RunController::status(const NodeId& shown) const {
    if (!of_shown_graph()) return {};
    const NodeId id = model_.run_id(shown);
    const auto at = status_.find(id);
    return at == status_.end() ? status_inside(id + "/") : at->second;
}

// A subgraph shows what goes on inside: a failure, else the node that runs, else whether all is done.
NodeStatus RunController::status_inside(const NodeId& prefix) const {
    NodeStatus sum;
    int count = 0, done = 0, cached = 0;
    double ms = 0;
    bool waits = false;
    for (auto at = status_.lower_bound(prefix); at != status_.end() && at->first.starts_with(prefix); ++at, ++count) {
        const NodeStatus& inner = at->second;
        sum.stale |= inner.stale;
        if (inner.state == NodeState::Failed || (inner.state == NodeState::Running && sum.state != NodeState::Failed)) {
            const bool stale = sum.stale;
            sum = inner;
            sum.stale = stale;
            sum.socket.clear();
        }
        if (inner.ms > 0) ms += inner.ms;
        waits |= inner.state == NodeState::Pending;
        done += inner.state == NodeState::Done || inner.state == NodeState::Cached;
        cached += inner.state == NodeState::Cached;
    }
    if (sum.state != NodeState::Idle || count == 0) return sum;
    sum.state = done == count ? (cached == count ? NodeState::Cached : NodeState::Done) : waits ? NodeState::Pending : NodeState::Idle;
    sum.ms = ms;
    return sum;
}

QImage RunController::thumbnail(const NodeId& shown) const {
    const auto at = of_shown_graph() ? entry_of(thumbnails_, model_.run_id(shown)) : thumbnails_.end();
    return at == thumbnails_.end() ? QImage() : at->second;
}

std::vector<OutputValue> RunController::values(const NodeId& shown) const {
    const NodeId id = model_.run_id(shown);
    if (const auto found = entry_of(found_, id); found != found_.end()) return found->second;
    return of_shown_graph() ? run_values(id) : std::vector<OutputValue>();
}

std::vector<OutputValue> RunController::run_values(const NodeId& id) const {
    const auto at = entry_of(values_, id);
    return at == values_.end() ? std::vector<OutputValue>() : at->second;
}

QString RunController::value_summary(const SocketId& output) const {
    for (const OutputValue& value : values(output.node))
        if (value.socket == output.name) return qt(value.value.summary());
    return {};
}

// --- results that no run brought ---

bool RunController::is_fresh(const NodeId& shown) const {
    const NodeStatus now = status(shown);
    return !now.stale && (now.state == NodeState::Done || now.state == NodeState::Cached) && !values(shown).empty();
}

void RunController::find_values(const std::vector<NodeId>& ids) {
    std::vector<NodeId> wanted;
    for (const NodeId& id : ids)
        if (model_.contains(id) && !is_fresh(id)) wanted.push_back(model_.run_id(id));
    if (wanted.empty()) return;
    const nodes::Document document = model_.whole();
    pictures_.start([this, wanted, document, places = places(), graph = graph_] {
        const auto found = nodes::peek(document, wanted, places, runner_->cache());
        QMetaObject::invokeMethod(
            this,
            [this, found, graph] {
                if (graph == graph_) keep_found(found);
            },
            Qt::QueuedConnection);
    });
}

void RunController::keep_found(const std::vector<nodes::event::Produced>& found) {
    const nodes::Document whole = model_.whole();
    std::map<NodeId, std::vector<OutputValue>> kept;
    for (const nodes::event::Produced& output : found) kept[output.node].push_back({output.socket, output.value});
    for (auto& [id, values] : kept) {
        const auto shown = model_.shown_id(id);
        // A run may have brought it meanwhile.
        if (!whole.contains(id.substr(0, id.find('/'))) || (shown && is_fresh(*shown))) continue;
        found_[id] = std::move(values);
        if (shown) emit values_changed(*shown);
    }
}

void RunController::watch(const std::vector<NodeId>& ids) {
    watched_.clear();
    for (const NodeId& id : ids)
        if (model_.contains(id)) watched_.push_back(model_.run_id(id));
}

void RunController::make_thumbnail(const NodeId& id, const nodes::Value& value) {
    if (!value.type() || !value.type()->preview) return;
    // The pool ends before `this` does, so the pointer is good there; the queued call dies with it.
    pictures_.start([this, id, value, graph = graph_] {
        const QImage image = picture_of(value, thumbnail_side);
        QMetaObject::invokeMethod(
            this,
            [this, id, image, graph] {
                if (image.isNull() || graph != graph_) return;
                thumbnails_[id] = image;
                if (const auto shown = model_.shown_id(id)) emit thumbnail_changed(*shown);
            },
            Qt::QueuedConnection);
    });
}

void RunController::request_picture(const SocketId& output) {
    nodes::Value wanted;
    for (const OutputValue& value : values(output.node))
        if (value.socket == output.name) wanted = value.value;
    if (wanted.empty() || !wanted.type()->preview) {
        QMetaObject::invokeMethod(
            this, [this, output] { emit picture_ready(output, QImage()); }, Qt::QueuedConnection);
        return;
    }
    pictures_.start([this, output, wanted] {
        const QImage image = picture_of(wanted, whole_picture);
        QMetaObject::invokeMethod(
            this, [this, output, image] { emit picture_ready(output, image); }, Qt::QueuedConnection);
    });
}

}  // namespace app
