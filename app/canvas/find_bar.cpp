#include "app/canvas/find_bar.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QToolButton>

#include "app/canvas/view.h"

namespace app {

FindBar::FindBar(GraphView& view) : QFrame(&view), view_(view), field_(new QLineEdit(this)), count_(new QLabel(this)), where_(new QLabel(this)) {
    setObjectName(QStringLiteral("search"));  // the style sheet's name for such a frame
    setAutoFillBackground(true);
    field_->setObjectName(QStringLiteral("find_field"));
    field_->setPlaceholderText(tr("Find nodes"));
    field_->setAccessibleName(tr("Find nodes"));
    field_->setClearButtonEnabled(true);
    count_->setMinimumWidth(70);
    where_->setTextFormat(Qt::PlainText);
    const auto button = [this](Qt::ArrowType arrow, const QString& tip, int by) {
        auto* made = new QToolButton(this);
        made->setArrowType(arrow);
        made->setToolTip(tip);
        made->setAccessibleName(tip);
        made->setAutoRaise(true);
        made->setFocusPolicy(Qt::NoFocus);
        connect(made, &QToolButton::clicked, this, [this, by] { step(by); });
        return made;
    };
    auto* row = new QHBoxLayout;
    row->setSpacing(4);
    row->addWidget(field_, 1);
    row->addWidget(count_);
    row->addWidget(button(Qt::UpArrow, tr("Previous"), -1));
    row->addWidget(button(Qt::DownArrow, tr("Next"), 1));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->setSpacing(4);
    layout->addLayout(row);
    layout->addWidget(where_);
    field_->installEventFilter(this);
    connect(field_, &QLineEdit::textChanged, this, [this] {
        look();
        show_hit();
    });
    connect(&view_.graph().model(), &GraphModel::edited, this, [this] { stale_ = true; });
    hide();
}

void FindBar::open() {
    show();
    raise();
    field_->setFocus();
    field_->selectAll();
    look();
}

void FindBar::close_bar() {
    hide();
    view_.setFocus();
}

void FindBar::look() {
    hits_ = find_nodes(view_.graph().model().whole(), field_->text());
    stale_ = false;
    if (at_ >= hits_.size()) at_ = 0;
    count_->setText(field_->text().trimmed().isEmpty() ? QString() : hits_.empty() ? tr("none") : tr("%1 of %2").arg(at_ + 1).arg(hits_.size()));
    where_->setText({});
    where_->setVisible(false);
    adjustSize();
    view_.place_overlays();
}

void FindBar::step(int by) {
    if (field_->text().trimmed().isEmpty()) return open();
    if (stale_) look();
    if (hits_.empty()) return;
    const auto count = static_cast<int>(hits_.size());
    at_ = static_cast<std::size_t>((static_cast<int>(at_) + by + count) % count);
    show_hit();
}

void FindBar::show_hit() {
    if (hits_.empty()) return;
    const FindHit& hit = hits_[at_];
    count_->setText(tr("%1 of %2").arg(at_ + 1).arg(hits_.size()));
    QString place;
    for (const NodeId& use : hit.uses) place += qt(use) + QStringLiteral(" \u203a ");
    where_->setText(QFontMetrics(where_->font()).elidedText(place + hit.where, Qt::ElideRight, 360));
    where_->setVisible(true);
    adjustSize();
    view_.place_overlays();
    const bool visible = isVisible(), focused = field_->hasFocus();
    if (!view_.graph().model().go_to(hit.uses)) return;
    stale_ = false;  // showing another level is no edit
    view_.graph().select({hit.node});
    view_.show_node(hit.node);
    if (visible && focused) field_->setFocus();
}

bool FindBar::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::ShortcutOverride && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
        event->accept();  // closes this, does not cancel a run
        return true;
    }
    if (event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        if (key->key() == Qt::Key_Escape) return close_bar(), true;
        if (key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter) return step(key->modifiers() & Qt::ShiftModifier ? -1 : 1), true;
        if (key->key() == Qt::Key_Down) return step(1), true;
        if (key->key() == Qt::Key_Up) return step(-1), true;
    }
    return QFrame::eventFilter(watched, event);
}

}  // namespace app
