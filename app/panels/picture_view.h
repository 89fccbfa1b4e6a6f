// A picture to look at closely: zoom at the cursor, pan, fit, pixel values under the mouse, a second picture beyond a line
// that is dragged, and a tool that works on it.
#pragma once

#include <QImage>
#include <QPointer>
#include <QWidget>
#include <functional>

#include "app/panels/picture_tool.h"

namespace app {

class PictureView : public QWidget {
    Q_OBJECT

public:
    explicit PictureView(QWidget* parent = nullptr);

    // Keeps zoom and place when the new picture has the size of the former one.
    void set_picture(const QImage& picture);
    const QImage& picture() const { return picture_; }
    // Left of the line, stretched over the area of the picture; a null image takes it away.
    void set_other(const QImage& other);
    void set_wipe(double share);  // where the line is, 0..1 of the width
    double wipe() const { return wipe_; }
    // Null: the mouse pans.
    void set_tool(PictureTool* tool);
    PictureTool* tool() const { return tool_; }
    // What is told of a pixel; without it the colour that is shown.
    void set_describe(std::function<QString(int x, int y)> describe) { describe_ = std::move(describe); }
    void set_hint(const QString& hint);  // while there is no picture

    void fit();
    void actual_size();  // one picture pixel on one screen pixel
    void zoom_by(double factor, QPointF anchor);
    double zoom() const { return zoom_; }
    QRectF area() const;  // of the picture, in this widget
    QPointF to_widget(QPointF pixel) const { return area().topLeft() + pixel * zoom_; }
    QPointF to_picture(QPointF at) const { return (at - area().topLeft()) / zoom_; }

signals:
    void pixel_hovered(const QString& text);  // "x 12  y 40   #ff8800 ..."; empty when left
    void zoom_changed(double zoom);

protected:
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    enum class Drag { None, Pan, Wipe, Tool };

    void set_zoom(double zoom, QPointF anchor);
    void tell_pixel(QPointF at);
    void show_cursor(QPointF at);
    bool on_line(QPointF at) const;
    void paint_wipe(QPainter& painter, const QRectF& area) const;

    QImage picture_, other_;
    double zoom_ = 1;
    double wipe_ = 0.5;
    QPointF centre_;  // of the widget, in picture pixels
    bool fitted_ = true;
    Drag drag_ = Drag::None;
    QPointF grabbed_;
    QPointer<PictureTool> tool_;
    std::function<QString(int, int)> describe_;
    QString hint_;
};

}  // namespace app
