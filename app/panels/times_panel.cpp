#include "app/panels/times_panel.h"

#include <QHeaderView>
#include <QLocale>
#include <QPainter>
#include <QStyledItemDelegate>
#include <algorithm>

#include "app/canvas/style.h"

namespace app {
namespace {

enum Column { Name, Type, Phase, Time, Share, Memory };
constexpr int sort_role = Qt::UserRole + 1;
constexpr int refresh_ms = 120;

// Sorts by number where a cell has one.
class Row final : public QTreeWidgetItem {
public:
    using QTreeWidgetItem::QTreeWidgetItem;
    bool operator<(const QTreeWidgetItem& other) const override {
        const int column = treeWidget()->sortColumn();
        const QVariant a = data(column, sort_role), b = other.data(column, sort_role);
        return a.isValid() && b.isValid() ? a.toDouble() < b.toDouble() : QString::localeAwareCompare(text(column), other.text(column)) < 0;
    }
};

// The share of the time as a bar.
class BarDelegate final : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        const double share = index.data(sort_role).toDouble();
        QRectF bar = QRectF(option.rect).adjusted(2, 4, -2, -4);
        bar.setWidth(bar.width() * std::clamp(share, 0.0, 1.0));
        QColor fill = canvas_style().accent;
        fill.setAlpha(110);
        painter->fillRect(bar, fill);
        QStyledItemDelegate::paint(painter, option, index);
    }
};

QString state_text(const NodeStatus& status) {
    if (status.stale) return TimesPanel::tr("edited since");
    switch (status.state) {
        case nodes::NodeState::Idle: return {};
        case nodes::NodeState::Pending: return TimesPanel::tr("waits");
        case nodes::NodeState::Running: return TimesPanel::tr("runs");
        case nodes::NodeState::Cached: return TimesPanel::tr("cached");
        case nodes::NodeState::Done: return TimesPanel::tr("done");
        case nodes::NodeState::Failed: return TimesPanel::tr("failed");
        case nodes::NodeState::Partial: return TimesPanel::tr("in part");
    }
    return {};
}

}  // namespace

TimesPanel::TimesPanel(GraphModel& model, RunController& runs, QWidget* parent) : QTreeWidget(parent), model_(model), runs_(runs) {
    setObjectName(QStringLiteral("times"));
    setAccessibleName(tr("Time and memory of nodes"));
    setHeaderLabels({tr("Node"), tr("Kind"), tr("State"), tr("Time"), tr("Share"), tr("Memory of results")});
    setRootIsDecorated(false);
    setUniformRowHeights(true);
    setItemDelegateForColumn(Share, new BarDelegate(this));
    setSortingEnabled(true);
    sortByColumn(Time, Qt::DescendingOrder);
    setColumnWidth(Name, 130);
    setColumnWidth(Type, 150);
    later_.setSingleShot(true);
    later_.setInterval(refresh_ms);
    connect(&later_, &QTimer::timeout, this, &TimesPanel::refresh);
    const auto soon = [this] {
        if (!later_.isActive()) later_.start();
    };
    connect(&runs_, &RunController::status_changed, this, soon);
    connect(&runs_, &RunController::finished, this, soon);
    connect(&model_, &GraphModel::reset, this, soon);
    connect(&model_, &GraphModel::level_changed, this, soon);
    connect(&model_, &GraphModel::node_removed, this, soon);
    connect(&model_, &GraphModel::node_renamed, this, soon);
    connect(this, &QTreeWidget::itemDoubleClicked, this, [this](const QTreeWidgetItem* item) { emit node_wanted(item->text(Name).toStdString()); });
}

void TimesPanel::showEvent(QShowEvent* event) {
    QTreeWidget::showEvent(event);
    refresh();
}

void TimesPanel::refresh() {
    if (!isVisible()) return;
    setSortingEnabled(false);  // or each row is sorted in
    clear();
    double all_ms = 0;
    std::vector<std::pair<NodeId, NodeStatus>> rows;
    for (const NodeId& id : model_.node_ids()) {
        const NodeStatus status = runs_.status(id);
        if (status.state == nodes::NodeState::Idle && status.ms < 0) continue;
        if (status.ms > 0) all_ms += status.ms;
        rows.emplace_back(id, status);
    }
    for (const auto& [id, status] : rows) {
        const nodes::Node* type = model_.declaration(id);
        auto* row = new Row(this, {qt(id), type ? qt(type->info().title) : QString(), state_text(status)});  // the tree owns it
        const bool computed = status.ms >= 0 && status.state != nodes::NodeState::Cached;
        row->setText(Time, !computed ? QString() : status.ms < 1000 ? tr("%1 ms").arg(status.ms, 0, 'f', 1) : tr("%1 s").arg(status.ms / 1000, 0, 'f', 2));
        row->setData(Time, sort_role, computed ? status.ms : -1);
        const double share = computed && all_ms > 0 ? status.ms / all_ms : 0;
        row->setText(Share, computed ? QStringLiteral("%1 %").arg(100 * share, 0, 'f', 1) : QString());
        row->setData(Share, sort_role, share);
        std::size_t bytes = 0;
        for (const OutputValue& value : runs_.values(id)) bytes += value.value.bytes();
        row->setText(Memory, bytes ? QLocale().formattedDataSize(static_cast<qint64>(bytes)) : QString());
        row->setData(Memory, sort_role, static_cast<double>(bytes));
        for (const int column : {Time, Share, Memory}) row->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
        if (status.state == nodes::NodeState::Failed) row->setForeground(Phase, canvas_style().failed);
    }
    setSortingEnabled(true);
}

}  // namespace app
