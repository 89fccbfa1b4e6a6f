#include "app/model/run_queue.h"

#include <QFileInfo>
#include <algorithm>

#include "app/model/graph_change.h"

namespace app {
namespace {

constexpr std::size_t most_targets = 3;  // that are named

}  // namespace

RunQueue::RunQueue(GraphModel& model, RunController& runs, QObject* parent) : QObject(parent), model_(model), runs_(runs) {
    connect(&runs_, &RunController::finished, this, &RunQueue::ended);
    connect(&runs_, &RunController::run_started, this, [this] {
        if (starting_ || !going_) return;
        // Somebody started another run past the queue, in the place of ours.
        entries_.pop_front();
        going_ = false;
        emit changed();
    });
    // What waits has its own snapshots, and goes on when another graph is shown.
    connect(&model_, &GraphModel::reset, this, [this] { last_ = {}; });
}

int RunQueue::add(const std::vector<NodeId>& targets) {
    Entry entry{.about = {.number = ++number_, .title = model_.path().isEmpty() ? tr("Untitled") : QFileInfo(model_.path()).fileName()},
                .request = runs_.request(targets)};
    QStringList names;
    for (const std::string& id : entry.request.options.targets) {
        if (names.size() == static_cast<qsizetype>(most_targets)) {
            names << tr("%n more", nullptr, static_cast<int>(entry.request.options.targets.size() - most_targets));
            break;
        }
        names << qt(id);
    }
    entry.about.target = names.join(QStringLiteral(", "));
    if (!last_.node_ids().empty()) entry.about.change = change_text(last_, entry.request.document);
    last_ = entry.request.document;
    entries_.push_back(std::move(entry));
    if (entries_.size() == 1) start_next();
    emit changed();
    return number_;
}

std::vector<QueuedRun> RunQueue::runs() const {
    std::vector<QueuedRun> all;
    for (const Entry& entry : entries_) all.push_back(entry.about);
    return all;
}

void RunQueue::start_next() {
    if (entries_.empty() || going_ || runs_.running()) return;
    going_ = true;
    starting_ = true;
    runs_.start_request(entries_.front().request);
    starting_ = false;
    emit changed();
}

void RunQueue::ended() {
    if (std::exchange(going_, false)) entries_.pop_front();
    emit changed();
    // Later: others still read what this run left.
    QMetaObject::invokeMethod(this, &RunQueue::start_next, Qt::QueuedConnection);
}

void RunQueue::cancel(int number) {
    const auto at = std::ranges::find(entries_, number, [](const Entry& entry) { return entry.about.number; });
    if (at == entries_.end()) return;
    if (going_ && at == entries_.begin()) return runs_.cancel();
    entries_.erase(at);
    emit changed();
}

void RunQueue::move(int number, int to) {
    const auto at = std::ranges::find(entries_, number, [](const Entry& entry) { return entry.about.number; });
    if (at == entries_.end() || (going_ && at == entries_.begin())) return;
    const int from = static_cast<int>(at - entries_.begin());
    to = std::clamp(to, going_ ? 1 : 0, static_cast<int>(entries_.size()) - 1);
    if (to == from) return;
    Entry moved = std::move(*at);
    entries_.erase(at);
    entries_.insert(entries_.begin() + to, std::move(moved));
    emit changed();
}

void RunQueue::clear() {
    if (waiting() == 0) return;
    entries_.erase(entries_.begin() + (going_ ? 1 : 0), entries_.end());
    emit changed();
}

}  // namespace app
