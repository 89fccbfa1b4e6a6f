#include "app/panels/message_bar.h"

#include <QHBoxLayout>

#include "app/canvas/style.h"
#include "app/panels/icons.h"

namespace app {
namespace {

constexpr int note_ms = 5000;

}  // namespace

MessageBar::MessageBar(QWidget* parent)
    : QFrame(parent), label_(new QLabel(this)), close_(new QToolButton(this)), timer_(new QTimer(this)) {
    setObjectName(QStringLiteral("message_bar"));
    label_->setWordWrap(true);
    label_->setTextFormat(Qt::PlainText);  // messages quote files that anybody may have written
    label_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    close_->setIcon(icon(Glyph::Close, Qt::white));
    close_->setToolTip(tr("Close"));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(14, 5, 8, 5);
    layout->addWidget(label_, 1);
    layout->addWidget(close_);
    timer_->setSingleShot(true);
    connect(timer_, &QTimer::timeout, this, &MessageBar::clear);
    connect(close_, &QToolButton::clicked, this, &MessageBar::clear);
    hide();
}

void MessageBar::show_message(Level level, const QString& text) {
    const QColor back = level == Level::Error ? mix(canvas_style().failed, Qt::black, 0.45)
                                              : mix(canvas_style().accent, Qt::black, 0.4);
    setStyleSheet(
        QStringLiteral("#message_bar { background: %1; } #message_bar QLabel { color: white; }").arg(back.name()));
    label_->setText(text);
    level == Level::Note ? timer_->start(note_ms) : timer_->stop();
    show();
}

void MessageBar::clear() {
    label_->clear();
    hide();
}

}  // namespace app
