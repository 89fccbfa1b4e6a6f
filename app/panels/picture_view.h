// A picture to look at closely: zoom at the cursor, pan, fit, pixel values under the mouse.
#pragma once

#include <QImage>
#include <QWidget>

namespace app {

class PictureView : public QWidget {
    Q_OBJECT

public:
    explicit PictureView(QWidget* parent = nullptr);

    // Keeps zoom and place when the new picture has the size of the former one.
    void set_picture(const QImage& picture);
    const QImage& picture() const { return picture_; }
    void fit();
    void actual_size();  // one picture pixel on one screen pixel
    double zoom() const { return zoom_; }

signals:
    void pixel_hovered(const QString& text);  // "12, 40   #ff8800   255 136 0   alpha 255"; empty when left
    void zoom_changed(double zoom);

protected:
    void paintEvent(QPaintEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    void set_zoom(double zoom, QPointF anchor);
    QRectF area() const;  // of the picture, in this widget
    void tell_pixel(QPointF at);

    QImage picture_;
    double zoom_ = 1;
    QPointF centre_;  // of the widget, in picture pixels
    bool fitted_ = true;
    QPointF grabbed_;
};

}  // namespace app
