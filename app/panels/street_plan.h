// A street from above, forward up: boxes, lanes and cameras are chosen, moved, turned and resized with the mouse, and drawn anew.
#pragma once

#include <optional>

#include "app/panels/street_view.h"

namespace app {

class StreetPlan : public StreetView {
    Q_OBJECT

public:
    enum class Tool { Select, Box, Lane, Camera };

    explicit StreetPlan(StreetModel& street, QWidget* parent = nullptr);

    void set_tool(Tool tool);
    Tool tool() const { return tool_; }
    // Of what the tools draw.
    void set_box_class(std::size_t box_class) { box_class_ = box_class; }
    void set_lane_class(std::size_t lane_class) { lane_class_ = lane_class; }
    void set_lane_width(double width) { lane_width_ = width; }
    const std::vector<nodes::Point2>& draft() const { return draft_; }  // the points of the lane that is drawn

    void fit();  // 50 m to each side
    void zoom_by(double factor, QPointF anchor);
    double zoom() const { return zoom_; }  // widget pixels for a metre
    QPointF to_widget(const nodes::Point2& at) const;
    nodes::Point2 to_street(QPointF at) const;

    // Where the handles of what is chosen are, in widget pixels: nothing where there is no such handle.
    std::optional<QPointF> turn_handle() const;
    std::vector<QPointF> side_handles() const;  // of a box: front, back, left, right

signals:
    void tool_changed();

protected:
    void paintEvent(QPaintEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    enum class Drag { None, Pan, Move, Turn, Aim, Side };

    void paint_grid(QPainter& painter) const;
    void paint_lanes(QPainter& painter) const;
    void paint_boxes(QPainter& painter) const;
    void paint_cameras(QPainter& painter) const;
    void paint_handles(QPainter& painter) const;
    StreetModel::Choice place_at(QPointF at) const;
    int segment_at(const nodes::Lane& lane, QPointF at) const;  // its first point; -1 for none
    QPolygonF outline(const nodes::StreetBox& box) const;
    void turn_to(QPointF at, bool coarse);
    void move_side(QPointF at);
    void finish_lane();

    Tool tool_ = Tool::Select;
    std::size_t box_class_ = 0, lane_class_ = 6;
    double lane_width_ = 0;
    std::vector<nodes::Point2> draft_;
    nodes::Point2 hover_;
    double zoom_ = 4;
    nodes::Point2 centre_;  // of the widget
    Drag drag_ = Drag::None;
    int side_ = 0;
    QPointF grabbed_;
    nodes::Vec3 start_;  // where what is moved was when it was grabbed
    Gesture gesture_;
};

}  // namespace app
