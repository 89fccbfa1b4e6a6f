#include "app/panels/history_panel.h"

#include <QAction>
#include <QTime>
#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "nodes/core/validate.h"

namespace app {
namespace {

constexpr std::size_t most_entries = 200;
constexpr qint64 most_bytes = 256LL << 20;  // of pictures
constexpr int whole_picture = 1 << 20;
constexpr int icon_side = 72;

}  // namespace

HistoryPanel::HistoryPanel(GraphModel& model, RunController& runs, QWidget* parent) : QListWidget(parent), model_(model), runs_(runs) {
    setObjectName(QStringLiteral("history"));
    setAccessibleName(tr("Results of earlier runs"));
    setViewMode(IconMode);
    setIconSize({icon_side, icon_side});
    setResizeMode(Adjust);
    setMovement(Static);
    setSpacing(4);
    setUniformItemSizes(true);
    pictures_.setMaxThreadCount(1);
    auto* open = new QAction(tr("Open Its Graph"), this);
    open->setObjectName(QStringLiteral("open_graph"));
    connect(open, &QAction::triggered, this, [this] { open_graph(currentRow()); });
    auto* forget = new QAction(tr("Forget All"), this);
    connect(forget, &QAction::triggered, this, [this] {
        clear();
        entries_.clear();
        bytes_ = 0;
    });
    addActions({open, forget});
    setContextMenuPolicy(Qt::ActionsContextMenu);
    connect(this, &QListWidget::itemClicked, this, [this](const QListWidgetItem* item) { show_row(row(item)); });
    connect(this, &QListWidget::itemActivated, this, [this](const QListWidgetItem* item) { show_row(row(item)); });
    connect(this, &QListWidget::itemDoubleClicked, this, [this](const QListWidgetItem* item) { open_graph(row(item)); });
    connect(&runs_, &RunController::run_started, this, [this] { started_ = runs_.run_document(); });
    connect(&runs_, &RunController::finished, this, [this](nodes::RunStatus status, double ms) {
        if (status == nodes::RunStatus::Done || status == nodes::RunStatus::Partial) add(status, ms);
    });
}

nodes::Value HistoryPanel::result() const {
    std::vector<NodeId> candidates = nodes::default_targets(started_);
    std::stable_partition(candidates.begin(), candidates.end(), [this](const NodeId& id) {
        const nodes::Node* type = started_.type_of(id);
        return type && type->info().side_effect;
    });
    for (const NodeId& id : candidates) {
        for (const OutputValue& output : runs_.run_values(id))
            if (output.value.type() && output.value.type()->preview) return output.value;
        for (const nodes::Link& link : started_.links_into(id))
            for (const OutputValue& output : runs_.run_values(link.from.node))
                if (output.socket == link.from.socket && output.value.type() && output.value.type()->preview) return output.value;
    }
    return {};
}

void HistoryPanel::add(nodes::RunStatus, double ms) {
    const nodes::Value value = result();
    if (value.empty()) return;  // nothing to see
    const int run = ++number_;
    const QString time = ms < 1000 ? tr("%1 ms").arg(qRound(ms)) : tr("%1 s").arg(ms / 1000, 0, 'f', 2);
    entries_.push_front({.run = run, .graph = started_, .title = tr("run %1, %2").arg(run).arg(QTime::currentTime().toString(QStringLiteral("hh:mm:ss")))});
    auto* item = new QListWidgetItem(QStringLiteral("%1").arg(run));  // the list owns it
    item->setToolTip(tr("%1, took %2. A double click opens its graph.").arg(entries_.front().title, time));
    QPixmap empty(icon_side, icon_side);
    empty.fill(Qt::transparent);
    item->setIcon(empty);
    insertItem(0, item);
    // The pool ends before this does; the queued call dies with it.
    pictures_.start([this, run, value, ratio = devicePixelRatioF()] {
        QImage image, small;
        try {
            image = value.preview(whole_picture);
            const int side = qRound(icon_side * ratio);
            small = image.scaled(side, side, Qt::KeepAspectRatio, Qt::SmoothTransformation);  // of a large one 0.1 s
            small.setDevicePixelRatio(ratio);
        } catch (const std::exception& error) {
            gpu::log("editor", gpu::LogLevel::Warning, "keep the picture of a run: {}", error.what());
        }
        QMetaObject::invokeMethod(
            this,
            [this, run, image, small] {
                const auto at = std::ranges::find(entries_, run, &Entry::run);
                if (at == entries_.end() || image.isNull()) return;
                at->image = image;
                bytes_ += image.sizeInBytes();
                this->item(static_cast<int>(at - entries_.begin()))->setIcon(QPixmap::fromImage(small));
                while (entries_.size() > most_entries || (bytes_ > most_bytes && entries_.size() > 1)) {
                    bytes_ -= entries_.back().image.sizeInBytes();
                    entries_.pop_back();
                    delete takeItem(count() - 1);
                }
            },
            Qt::QueuedConnection);
    });
}

void HistoryPanel::show_row(int row) {
    if (row < 0 || row >= static_cast<int>(entries_.size())) return;
    const Entry& entry = entries_[static_cast<std::size_t>(row)];
    if (!entry.image.isNull()) emit picture_wanted(entry.image, entry.title);
}

void HistoryPanel::open_graph(int row) {
    if (row < 0 || row >= static_cast<int>(entries_.size())) return;
    const Entry& entry = entries_[static_cast<std::size_t>(row)];
    model_.replace(entry.graph, tr("Open the graph of %1").arg(entry.title));
}

}  // namespace app
