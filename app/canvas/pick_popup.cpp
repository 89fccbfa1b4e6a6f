#include "app/canvas/pick_popup.h"

#include <QKeyEvent>
#include <QVBoxLayout>
#include <algorithm>

namespace app {
namespace {

constexpr int popup_width = 320, popup_height = 340;

// The row so many entries on from `row`, or the last one there is; headings between them do not count.
int row_after(const QListWidget& list, int row, int entries) {
    const int way = entries < 0 ? -1 : 1;
    int found = row;
    for (int at = row + way; at >= 0 && at < list.count() && entries != 0; at += way)
        if (list.item(at)->flags() & Qt::ItemIsEnabled) {
            found = at;
            entries -= way;
        }
    return found;
}

}  // namespace

PickPopup::PickPopup(const QString& placeholder, QWidget* parent) : QFrame(parent), field_(new QLineEdit(this)), list_(new QListWidget(this)) {
    setObjectName(QStringLiteral("search"));  // the style sheet's name for such a frame
    setAutoFillBackground(true);
    field_->setObjectName(QStringLiteral("search_field"));
    field_->setPlaceholderText(placeholder);
    field_->setAccessibleName(placeholder);
    field_->setClearButtonEnabled(true);
    list_->setObjectName(QStringLiteral("search_list"));
    list_->setUniformItemSizes(true);
    list_->setFocusPolicy(Qt::NoFocus);
    list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    list_->setTextElideMode(Qt::ElideRight);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->setSpacing(6);
    layout->addWidget(field_);
    layout->addWidget(list_);
    field_->installEventFilter(this);
    connect(field_, &QLineEdit::textChanged, this, &PickPopup::refill);
    connect(list_, &QListWidget::itemClicked, this, &PickPopup::take);
    hide();
}

void PickPopup::open_near(QPoint corner) {
    resize(std::min(popup_width, parentWidget()->width() - 8), std::min(popup_height, parentWidget()->height() - 8));
    move(std::clamp(corner.x(), 4, std::max(4, parentWidget()->width() - width() - 4)),
         std::clamp(corner.y(), 4, std::max(4, parentWidget()->height() - height() - 4)));
    field_->clear();
    refill();
    show();
    raise();
    field_->setFocus();
}

void PickPopup::refill() {
    list_->clear();
    fill();
    list_->setCurrentRow(row_after(*list_, -1, 1));
}

void PickPopup::take() {
    if (const QListWidgetItem* item = list_->currentItem(); item && (item->flags() & Qt::ItemIsEnabled)) choose(*item);
}

void PickPopup::close_popup() {
    hide();
    emit closed();
}

bool PickPopup::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::FocusOut && isVisible() &&
        static_cast<QFocusEvent*>(event)->reason() != Qt::ActiveWindowFocusReason &&
        static_cast<QFocusEvent*>(event)->reason() != Qt::PopupFocusReason) {
        close_popup();
    } else if (event->type() == QEvent::ShortcutOverride && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
        event->accept();  // closes this, does not cancel a run
        return true;
    } else if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        const auto go = [this](int entries) { list_->setCurrentRow(row_after(*list_, list_->currentRow(), entries)); };
        if (key == Qt::Key_Escape) return close_popup(), true;
        if (key == Qt::Key_Return || key == Qt::Key_Enter) return take(), true;
        if (key == Qt::Key_Down || key == Qt::Key_Tab) return go(1), true;
        if (key == Qt::Key_Up || key == Qt::Key_Backtab) return go(-1), true;
        if (key == Qt::Key_PageDown) return go(8), true;
        if (key == Qt::Key_PageUp) return go(-8), true;
    }
    return QFrame::eventFilter(watched, event);
}

}  // namespace app
