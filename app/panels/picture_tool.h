// What the mouse does on the picture beside looking at it: painting, dragging handles. Positions are in pixels of the picture.
#pragma once

#include <QKeyEvent>
#include <QMouseEvent>
#include <QObject>
#include <QPainter>

namespace app {

class PictureView;

class PictureTool : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    // Whether the tool takes the press; it then gets all moves up to the release.
    virtual bool press(QPointF at, const QMouseEvent& event) = 0;
    virtual void drag(QPointF at, const QMouseEvent& event) = 0;
    virtual void release(QPointF at, const QMouseEvent& event) = 0;
    virtual void hover(QPointF) {}
    virtual void leave() {}
    // Whether the key was for the tool; asked before the window's shortcuts are.
    virtual bool key(const QKeyEvent&) { return false; }
    virtual bool wants_key(const QKeyEvent&) const { return false; }
    // Over the picture, in widget coordinates; the view turns positions into them.
    virtual void paint(QPainter& painter, const PictureView& view) const = 0;
    virtual Qt::CursorShape cursor(QPointF at) const = 0;
    // Distances on the screen, for handles: widget pixels for a pixel of the picture.
    void set_zoom(double zoom) { zoom_ = zoom; }

signals:
    void changed();  // paint again

protected:
    double zoom() const { return zoom_; }

private:
    double zoom_ = 1;
};

}  // namespace app
