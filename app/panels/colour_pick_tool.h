// Takes a colour from the picture: by a press (and on while it is dragged), or by arrows and Return.
#pragma once

#include <QColor>
#include <functional>

#include "app/panels/picture_tool.h"

namespace app {

class ColourPickTool final : public PictureTool {
    Q_OBJECT

public:
    // What the colour of a pixel is; invalid beyond the picture. `start` is where the keyboard's cross begins.
    ColourPickTool(std::function<QColor(QPoint)> colour_at, QPoint start, QObject* parent = nullptr);

    bool press(QPointF at, const QMouseEvent& event) override;
    void drag(QPointF at, const QMouseEvent& event) override;
    void release(QPointF at, const QMouseEvent& event) override;
    void hover(QPointF at) override;
    bool key(const QKeyEvent& event) override;
    bool wants_key(const QKeyEvent& event) const override;
    void paint(QPainter& painter, const PictureView& view) const override;
    Qt::CursorShape cursor(QPointF at) const override;

signals:
    void picked(const QColor& colour);
    void finished();  // nothing more comes

private:
    void take(QPointF at);

    std::function<QColor(QPoint)> colour_at_;
    QPoint at_;
};

}  // namespace app
