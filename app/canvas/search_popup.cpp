#include "app/canvas/search_popup.h"

#include <QKeyEvent>
#include <QVBoxLayout>
#include <algorithm>

#include "app/canvas/style.h"
#include "app/model/search.h"

namespace app {
namespace {

constexpr int popup_width = 320, popup_height = 340;

}  // namespace

SearchPopup::SearchPopup(GraphModel& model, QWidget* parent)
    : QFrame(parent), model_(model), field_(new QLineEdit(this)), list_(new QListWidget(this)) {
    setObjectName(QStringLiteral("search"));
    setAutoFillBackground(true);
    field_->setObjectName(QStringLiteral("search_field"));
    field_->setPlaceholderText(tr("Search nodes"));
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
    connect(field_, &QLineEdit::textChanged, this, &SearchPopup::fill);
    connect(list_, &QListWidget::itemClicked, this, &SearchPopup::choose);
    hide();
}

void SearchPopup::open(QPoint corner, QPointF at, const SocketId& from) {
    at_ = at;
    from_ = from;
    resize(std::min(popup_width, parentWidget()->width() - 8), std::min(popup_height, parentWidget()->height() - 8));
    move(std::clamp(corner.x(), 4, std::max(4, parentWidget()->width() - width() - 4)),
         std::clamp(corner.y(), 4, std::max(4, parentWidget()->height() - height() - 4)));
    field_->clear();
    fill();
    show();
    raise();
    field_->setFocus();
}

void SearchPopup::fill() {
    list_->clear();
    const auto fits = [this](const nodes::Node& type) { return from_.empty() || model_.type_accepts(type, from_); };
    for (const nodes::Node* type : search_types(field_->text(), fits)) {
        auto* item = new QListWidgetItem(list_);  // the list owns it
        item->setText(qt(type->info().title) + QStringLiteral("  \u2014  ") + qt(type->info().category));
        item->setToolTip(qt(type->info().help));
        item->setData(Qt::UserRole, qt(type->info().id));
        QPixmap dot(10, 10);
        dot.fill(canvas_style().category(qt(type->info().category)));
        item->setIcon(QIcon(dot));
    }
    list_->setCurrentRow(0);
}

void SearchPopup::choose() {
    const QListWidgetItem* item = list_->currentItem();
    if (!item) return;
    const std::string type = item->data(Qt::UserRole).toString().toStdString();
    close_popup();
    emit chosen(type, at_, from_);
}

void SearchPopup::close_popup() {
    hide();
    emit closed();
}

bool SearchPopup::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::FocusOut && isVisible() &&
        static_cast<QFocusEvent*>(event)->reason() != Qt::ActiveWindowFocusReason &&
        static_cast<QFocusEvent*>(event)->reason() != Qt::PopupFocusReason) {
        close_popup();
    } else if (event->type() == QEvent::ShortcutOverride && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
        event->accept();  // closes this, does not cancel a run
        return true;
    } else if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        const int row = list_->currentRow(), last = list_->count() - 1;
        if (key == Qt::Key_Escape) return close_popup(), true;
        if (key == Qt::Key_Return || key == Qt::Key_Enter) return choose(), true;
        if (key == Qt::Key_Down || key == Qt::Key_Tab) return list_->setCurrentRow(std::min(row + 1, last)), true;
        if (key == Qt::Key_Up || key == Qt::Key_Backtab) return list_->setCurrentRow(std::max(row - 1, 0)), true;
        if (key == Qt::Key_PageDown) return list_->setCurrentRow(std::min(row + 8, last)), true;
        if (key == Qt::Key_PageUp) return list_->setCurrentRow(std::max(row - 8, 0)), true;
    }
    return QFrame::eventFilter(watched, event);
}

}  // namespace app
