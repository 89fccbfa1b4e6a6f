#include "app/panels/queue_panel.h"

#include <QHeaderView>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QSignalBlocker>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include "app/canvas/style.h"
#include "app/panels/icons.h"

namespace app {
namespace {

enum Column { Run, Target, Change, State };
constexpr int number_role = Qt::UserRole, progress_role = Qt::UserRole + 1;
constexpr int refresh_ms = 100;

// How much is done, as a bar behind the words.
class ProgressDelegate final : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        QRectF bar = QRectF(option.rect).adjusted(2, 3, -2, -3);
        bar.setWidth(bar.width() * index.data(progress_role).toDouble());
        QColor fill = canvas_style().accent;
        fill.setAlpha(110);
        painter->fillRect(bar, fill);
        QStyledItemDelegate::paint(painter, option, index);
    }
};

int number_of(const QTreeWidgetItem* row) { return row ? row->data(Run, number_role).toInt() : 0; }

}  // namespace

QueuePanel::QueuePanel(RunQueue& queue, RunController& runs, QWidget* parent) : QWidget(parent), queue_(queue), runs_(runs), list_(new QTreeWidget) {
    setObjectName(QStringLiteral("queue"));
    auto* buttons = new QHBoxLayout;
    buttons->setContentsMargins(6, 4, 6, 0);
    buttons->setSpacing(4);
    pause_ = add_button("queue_pause", tr("Pause the run that goes"), &QueuePanel::pause);
    pause_->setIcon(icon(Glyph::Pause));
    pause_->setCheckable(true);
    cancel_ = add_button("queue_cancel", tr("Cancel the selected run (Delete)"), &QueuePanel::cancel_selected);
    cancel_->setIcon(icon(Glyph::Close));
    up_ = add_button("queue_up", tr("Earlier (Ctrl+Up)"), &QueuePanel::move_up);
    up_->setArrowType(Qt::UpArrow);
    down_ = add_button("queue_down", tr("Later (Ctrl+Down)"), &QueuePanel::move_down);
    down_->setArrowType(Qt::DownArrow);
    clear_ = add_button("queue_clear", tr("Remove all runs that wait"), &QueuePanel::clear);
    clear_->setText(tr("Clear"));
    for (QToolButton* button : {pause_, cancel_, up_, down_, clear_}) buttons->addWidget(button);
    buttons->addStretch(1);

    list_->setObjectName(QStringLiteral("queue_list"));
    list_->setAccessibleName(tr("Runs that go and wait"));
    list_->setHeaderLabels({tr("Run"), tr("Nodes"), tr("Changed"), tr("State")});
    list_->setRootIsDecorated(false);
    list_->setUniformRowHeights(true);
    list_->setItemDelegateForColumn(State, new ProgressDelegate(list_));
    list_->header()->setStretchLastSection(false);
    list_->header()->setSectionResizeMode(Change, QHeaderView::Stretch);
    list_->setColumnWidth(Run, 190);
    list_->setColumnWidth(Target, 120);
    list_->setColumnWidth(State, 170);
    list_->installEventFilter(this);
    list_->viewport()->installEventFilter(this);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    layout->addLayout(buttons);
    layout->addWidget(list_, 1);

    later_.setSingleShot(true);
    later_.setInterval(refresh_ms);
    connect(&later_, &QTimer::timeout, this, &QueuePanel::refresh_progress);
    const auto soon = [this] {
        if (!later_.isActive()) later_.start();
    };
    connect(&queue_, &RunQueue::changed, this, &QueuePanel::refresh);
    connect(&runs_, &RunController::status_changed, this, soon);
    connect(&runs_, &RunController::tally_changed, this, soon);
    connect(&runs_, &RunController::running_changed, this, &QueuePanel::refresh_buttons);
    connect(&runs_, &RunController::paused_changed, this, &QueuePanel::refresh_progress);
    connect(&runs_, &RunController::paused_changed, pause_, &QToolButton::setChecked);
    connect(list_, &QTreeWidget::itemSelectionChanged, this, &QueuePanel::refresh_buttons);
    refresh();
}

QToolButton* QueuePanel::add_button(const char* name, const QString& tip, void (QueuePanel::*act)()) {
    auto* button = new QToolButton;
    button->setObjectName(QString::fromLatin1(name));
    button->setToolTip(tip);
    button->setAutoRaise(true);
    button->setFocusPolicy(Qt::TabFocus);
    connect(button, &QToolButton::clicked, this, act);
    return button;
}

int QueuePanel::selected() const {
    const auto rows = list_->selectedItems();
    return rows.isEmpty() ? 0 : number_of(rows.front());
}

// Without a selection the one that runs, or waits first.
void QueuePanel::cancel_selected() {
    const int number = selected();
    queue_.cancel(number ? number : number_of(list_->topLevelItem(0)));
}

void QueuePanel::move_up() { move_by(-1); }
void QueuePanel::move_down() { move_by(1); }

void QueuePanel::move_by(int rows) {
    const auto chosen = list_->selectedItems();
    if (!chosen.isEmpty()) queue_.move(number_of(chosen.front()), list_->indexOfTopLevelItem(chosen.front()) + rows);
}

void QueuePanel::pause() { runs_.paused() ? runs_.resume() : runs_.pause(); }
void QueuePanel::clear() { queue_.clear(); }

bool QueuePanel::key_pressed(const QKeyEvent& key) {
    if (key.key() == Qt::Key_Delete && key.modifiers() == Qt::NoModifier) return cancel_selected(), true;
    if (!(key.modifiers() & Qt::ControlModifier) || (key.key() != Qt::Key_Up && key.key() != Qt::Key_Down)) return false;
    move_by(key.key() == Qt::Key_Up ? -1 : 1);
    return true;
}

bool QueuePanel::eventFilter(QObject* watched, QEvent* event) {
    if (watched == list_) {
        // The window has commands of its own on these keys.
        if (event->type() == QEvent::ShortcutOverride) {
            const auto& key = static_cast<const QKeyEvent&>(*event);
            const bool ours = key.key() == Qt::Key_Delete || (key.modifiers() == Qt::ControlModifier && (key.key() == Qt::Key_Up || key.key() == Qt::Key_Down));
            if (ours) event->accept();
            return ours;
        }
        return event->type() == QEvent::KeyPress && key_pressed(static_cast<const QKeyEvent&>(*event));
    }
    // Rows follow the mouse while it is dragged.
    const auto row_at = [this](const QEvent* mouse) { return list_->itemAt(static_cast<const QMouseEvent*>(mouse)->pos()); };
    switch (event->type()) {
        case QEvent::MouseButtonPress: dragged_ = static_cast<QMouseEvent*>(event)->button() == Qt::LeftButton ? number_of(row_at(event)) : 0; break;
        case QEvent::MouseButtonRelease: dragged_ = 0; break;
        case QEvent::MouseMove:
            if (!dragged_ || !(static_cast<QMouseEvent*>(event)->buttons() & Qt::LeftButton)) break;
            if (QTreeWidgetItem* over = row_at(event); over && number_of(over) != dragged_) queue_.move(dragged_, list_->indexOfTopLevelItem(over));
            return true;
        default: break;
    }
    return QWidget::eventFilter(watched, event);
}

void QueuePanel::refresh() {
    const int kept = selected();
    {
        const QSignalBlocker quiet(list_);
        list_->clear();
        for (const QueuedRun& run : queue_.runs()) {
            auto* row = new QTreeWidgetItem(list_);  // the tree owns it
            row->setData(Run, number_role, run.number);
            row->setText(Run, tr("%1: %2").arg(run.number).arg(run.title));
            row->setText(Target, run.target.isEmpty() ? tr("all") : run.target);
            row->setText(Change, run.change);
            for (const int column : {Run, Target, Change}) row->setToolTip(column, row->text(column));
            row->setText(State, tr("waits"));
            if (run.number == kept) row->setSelected(true), list_->setCurrentItem(row);
        }
    }
    refresh_progress();
    refresh_buttons();
}

void QueuePanel::refresh_progress() {
    QTreeWidgetItem* first = list_->topLevelItem(0);
    if (!first || !queue_.first_runs()) return;
    const auto [finished, planned] = runs_.tally();
    first->setText(State, runs_.paused() ? tr("paused, %1 of %2 nodes").arg(finished).arg(planned) : tr("runs, %1 of %2 nodes").arg(finished).arg(planned));
    first->setData(State, progress_role, runs_.progress());
}

void QueuePanel::refresh_buttons() {
    const auto rows = list_->selectedItems();
    const int row = rows.isEmpty() ? -1 : list_->indexOfTopLevelItem(rows.front());
    const int first = queue_.first_runs() ? 1 : 0;
    pause_->setEnabled(runs_.running());
    cancel_->setEnabled(list_->topLevelItemCount() > 0);
    up_->setEnabled(row > first);
    down_->setEnabled(row >= first && row + 1 < list_->topLevelItemCount());
    clear_->setEnabled(queue_.waiting() > 0);
}

}  // namespace app
