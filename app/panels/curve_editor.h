// A curve that is drawn: a press on nothing adds a point, points are dragged, the right button or Delete removes them.
#pragma once

#include "app/panels/param_editor.h"
#include "nodes/core/curve.h"

namespace app {

// Whether the parameter's text is a curve.
bool is_curve(const nodes::Node& type, const std::string& param);

class CurveEditor final : public ParamEditor {
    Q_OBJECT

public:
    explicit CurveEditor(const nodes::ParamInfo& info);

    void show_value(const QJsonValue& value) override;
    QSize sizeHint() const override;
    const nodes::Curve& curve() const { return curve_; }
    int chosen() const { return chosen_; }  // the point that keys act on; -1 for none
    QPointF place(nodes::CurvePoint point) const;

protected:
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;

private:
    QRectF area() const;
    nodes::CurvePoint value_at(QPointF at) const;
    int point_at(QPointF at) const;
    void choose(int point);
    void add(nodes::CurvePoint point, Gesture gesture);
    void move_chosen(nodes::CurvePoint to, Gesture gesture);
    void remove(int point);
    void send(Gesture gesture);
    QColor tone() const;

    nodes::Curve curve_;
    bool broken_ = false;  // the text is no curve
    int chosen_ = -1;
    bool dragging_ = false;
    Gesture drag_;
};

}  // namespace app
