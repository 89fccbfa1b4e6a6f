// The commands of the canvas that are not the document's or the window's: frames, finding, bookmarks, moving by the
// keyboard; and the menus that the right button opens there.
#pragma once

#include <QMenu>
#include <QPointer>
#include <functional>

#include "app/canvas/view.h"
#include "app/panels/key_bindings.h"

namespace app {

// Puts its actions into the menus of the window. Made last, when all others are there: it also gives the keys that the
// user chose.
class CanvasActions : public QObject {
    Q_OBJECT

public:
    CanvasActions(QWidget& window, GraphView& view, QMenu* edit, QMenu* view_menu);

    KeyBindings& keys() const { return *keys_; }
    // The menu for a place of the canvas; the caller owns it.
    std::unique_ptr<QMenu> menu_at(QPointF at);

private:
    QAction* add(QMenu* menu, const char* name, const QString& text, const QKeySequence& keys, std::function<void()> act);
    // Only while the canvas has the focus: keys that mean something else in a field or a list.
    QAction* add_on_canvas(QMenu* menu, const char* name, const QString& text, const QKeySequence& keys, std::function<void()> act);
    QAction* action(const char* name) const { return window_.findChild<QAction*>(QString::fromLatin1(name)); }
    void build_frames(QMenu* menu);
    void build_colours(QMenu* menu);
    void build_find(QMenu* menu);
    void build_bookmarks(QMenu* menu);
    void build_keyboard(QMenu* menu);

    void make_frame();
    void remove_frames();
    void fill_frames();
    void rename();
    void colour(const QColor& colour);
    std::set<FrameId> touched_frames() const;

    QWidget& window_;
    GraphView& view_;
    GraphScene& scene_;
    GraphModel& model_;
    QMenu *colours_ = nullptr, *into_frame_ = nullptr;
    KeyBindings* keys_ = nullptr;
};

}  // namespace app
