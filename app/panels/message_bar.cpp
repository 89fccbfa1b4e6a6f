#include "app/panels/message_bar.h"

#include <QHBoxLayout>

#include "app/canvas/style.h"
#include "app/panels/icons.h"

namespace app {
namespace {

constexpr int note_ms = 5000;

}  // namespace

MessageBar::MessageBar(QWidget* parent)
    : QFrame(parent),
      label_(new QLabel(this)),
      act_(new QToolButton(this)),
      close_(new QToolButton(this)),
      timer_(new QTimer(this)) {
    setObjectName(QStringLiteral("message_bar"));
    label_->setWordWrap(true);
    label_->setTextFormat(Qt::PlainText);  // messages quote files that anybody may have written
    label_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    close_->setIcon(icon(Glyph::Close, Qt::white));
    close_->setToolTip(tr("Close"));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(14, 5, 8, 5);
    layout->addWidget(label_, 1);
    layout->addWidget(act_);
    layout->addWidget(close_);
    timer_->setSingleShot(true);
    connect(timer_, &QTimer::timeout, this, &MessageBar::clear);
    connect(close_, &QToolButton::clicked, this, &MessageBar::clear);
    connect(act_, &QToolButton::clicked, this, [this] {
        const auto act = std::exchange(on_act_, {});
        clear();
        if (act) act();
    });
    act_->setObjectName(QStringLiteral("message_button"));
    act_->hide();
    hide();
}

void MessageBar::show_message(Level level, const QString& text) {
    const QColor back = level == Level::Error ? mix(canvas_style().failed, Qt::black, 0.45)
                                              : mix(canvas_style().accent, Qt::black, 0.4);
    setStyleSheet(
        QStringLiteral("#message_bar { background: %1; } #message_bar QLabel { color: white; }"
                       "#message_button { color: white; background: rgba(255, 255, 255, 40); padding: 4px 12px; }")
            .arg(back.name()));
    act_->hide();
    label_->setText(text);
    level == Level::Note ? timer_->start(note_ms) : timer_->stop();
    show();
}

void MessageBar::ask(const QString& text, const QString& button, std::function<void()> act) {
    show_message(Level::Note, text);
    timer_->stop();
    on_act_ = std::move(act);
    act_->setText(button);
    act_->show();
}

void MessageBar::clear() {
    label_->clear();
    hide();
}

}  // namespace app
