#include "app/canvas/frame_title_edit.h"

#include <QKeyEvent>

#include "app/canvas/view.h"

namespace app {
namespace {

constexpr int least_width = 160;

}  // namespace

FrameTitleEdit::FrameTitleEdit(GraphView& view) : QLineEdit(view.viewport()), view_(view) {
    setObjectName(QStringLiteral("frame_title"));
    setAccessibleName(tr("Title of the frame"));
    hide();
    connect(this, &QLineEdit::returnPressed, this, [this] { finish(true); });
    // Another document or level: its frames are others, perhaps by the same ids.
    for (auto gone : {&GraphModel::reset, &GraphModel::level_changed}) connect(&view_.graph().model(), gone, this, [this] { finish(false); });
}

void FrameTitleEdit::open(const FrameId& frame) {
    const FrameItem* item = view_.graph().frame_item(frame);
    if (!item) return;
    frame_ = frame;
    const QRect box = view_.mapFromScene(item->title_box()).boundingRect();
    const int height = sizeHint().height();
    setGeometry(box.left() + 4, box.center().y() - height / 2, std::max(least_width, box.width() - 8), height);
    setText(item->title());
    selectAll();
    show();
    raise();
    setFocus();
}

void FrameTitleEdit::finish(bool keep) {
    if (frame_.empty()) return;
    const FrameId frame = std::exchange(frame_, {});
    const bool focused = hasFocus();
    hide();
    if (keep) view_.graph().model().set_frame_title(frame, text().trimmed());
    if (focused) view_.setFocus();
}

bool FrameTitleEdit::event(QEvent* event) {
    if (event->type() == QEvent::ShortcutOverride && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
        event->accept();  // does not cancel a run
        return true;
    }
    if (event->type() == QEvent::KeyPress && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) return finish(false), true;
    return QLineEdit::event(event);
}

void FrameTitleEdit::focusOutEvent(QFocusEvent* event) {
    QLineEdit::focusOutEvent(event);
    if (event->reason() != Qt::ActiveWindowFocusReason && event->reason() != Qt::PopupFocusReason) finish(true);
}

}  // namespace app
