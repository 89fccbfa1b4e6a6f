// A street in three dimensions, seen from anywhere: boxes and cameras are chosen, moved and turned with the mouse.
#pragma once

#include <optional>

#include "app/panels/street_view.h"

namespace app {

class StreetSpace : public StreetView {
    Q_OBJECT

public:
    explicit StreetSpace(StreetModel& street, QWidget* parent = nullptr);

    void fit();  // from behind and above
    void orbit(double yaw, double pitch);  // degrees
    void zoom_by(double factor);
    void pan(QPointF by);  // widget pixels
    // From where it is seen.
    nodes::Camera eye() const;
    QPointF to_widget(const nodes::Vec3& at) const;
    // Where the handle that turns what is chosen is; of a camera it tilts, too.
    std::optional<nodes::Vec3> turn_handle() const;

protected:
    void paintEvent(QPaintEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    enum class Drag { None, Orbit, Pan, Move, Lift, Turn };

    StreetModel::Choice place_at(QPointF at) const;
    std::optional<nodes::Vec3> on_level(QPointF at, double z) const;
    void paint_frustum(QPainter& painter, const nodes::Projection& view, const nodes::Camera& camera, bool chosen) const;
    void turn_to(QPointF at);

    nodes::Vec3 centre_;  // what is looked at
    double distance_ = 40, yaw_ = 90, pitch_ = -25;  // the direction that is looked in, degrees
    Drag drag_ = Drag::None;
    QPointF grabbed_;
    nodes::Vec3 start_, off_;  // of what is moved: its place when it was grabbed, and from there to where it was grabbed
    Gesture gesture_;
};

// What each camera sees, side by side, drawn anew with every edit. A click chooses the camera.
class StreetViews : public QWidget {
    Q_OBJECT

public:
    explicit StreetViews(StreetModel& street, QWidget* parent = nullptr);
    QRectF cell(std::size_t camera) const;
    QSize sizeHint() const override { return {420, 170}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;

private:
    StreetModel& street_;
};

}  // namespace app
