// Handles on the picture for the parameters that make a box, the margins around the picture, or the place of another picture on it. A drag is
// one undo step.
#pragma once

#include <variant>

#include "app/model/graph_model.h"
#include "app/panels/picture_tool.h"
#include "nodes/core/direct_edit.h"

namespace app {

class BoxTool : public PictureTool {
    Q_OBJECT

public:
    using Edit = std::variant<nodes::BoxEdit, nodes::MarginEdit, nodes::PlaceEdit>;

    BoxTool(GraphModel& model, NodeId node, Edit edit, QObject* parent = nullptr);

    // Of the picture, each pixel of which stands for `cell` pixels of the parameters: those of a latent do.
    void set_size(QSize size, int cell = 1) { size_ = size, cell_ = cell; }
    // Of a box that is moved only, in pixels of the parameters; null: not known yet.
    void set_box_size(QSize size) { box_size_ = size; }
    // In pixels of the picture, as the parameters say; nothing where one of them is computed by an expression, or the size not known.
    std::optional<QRectF> box() const;
    void set_box(QRectF box, Gesture gesture);

    bool press(QPointF at, const QMouseEvent& event) override;
    void drag(QPointF at, const QMouseEvent& event) override;
    void release(QPointF at, const QMouseEvent& event) override;
    void paint(QPainter& painter, const PictureView& view) const override;
    Qt::CursorShape cursor(QPointF at) const override;

private:
    // Which sides a press at a place moves; all four: the box as a whole.
    struct Sides {
        bool left = false, top = false, right = false, bottom = false;
        bool any() const { return left || top || right || bottom; }
    };
    Sides sides_at(QPointF at) const;
    bool only_moved() const { return std::holds_alternative<nodes::PlaceEdit>(edit_); }
    bool outwards() const { return std::holds_alternative<nodes::MarginEdit>(edit_); }
    double number(const std::string& param, bool& known) const;

    GraphModel& model_;
    NodeId node_;
    Edit edit_;
    QSize size_, box_size_;
    int cell_ = 1;
    Sides dragged_;
    QRectF start_;
    QPointF pressed_;
    Gesture gesture_;
};

}  // namespace app
