// Paints a mask on the picture: strokes appear while they are drawn, and each is one undo step of the node's parameter. Keys: B
// brush, E eraser, L lasso, R rectangle, O ellipse, G gradient, F fill, [ and ] size, { and } hardness, digits strength. The right
// button erases with any tool.
#pragma once

#include "app/model/graph_model.h"
#include "app/model/latest_task.h"
#include "app/panels/picture_tool.h"
#include "nodes/core/direct_edit.h"
#include "nodes/types/strokes.h"

namespace app {

// What the next stroke is drawn with; outlives the selection.
struct BrushSettings {
    nodes::StrokeTool tool = nodes::StrokeTool::Brush;
    double radius = 24;
    double hardness = 0.8;
    double strength = 1;
    bool erase = false;
    QColor colour{0, 214, 120};  // that the mask is shown in
    bool fresh = true;           // nobody chose a radius yet: it follows the size of the picture
};

class MaskTool : public PictureTool {
    Q_OBJECT

public:
    MaskTool(GraphModel& model, NodeId node, nodes::StrokesEdit edit, BrushSettings& brush, QObject* parent = nullptr);

    void set_size(QSize size);  // of the picture that is painted on
    void refresh();             // reads the parameter again
    bool ready() const { return !task_.busy(); }
    const nodes::MaskPixels& mask() const { return mask_; }
    QString problem() const { return problem_; }  // why the parameter can not be painted on; empty: it can
    int strokes() const { return static_cast<int>(strokes_.size()); }
    void clear();
    void recolour();  // after brush settings have another colour

    bool press(QPointF at, const QMouseEvent& event) override;
    void drag(QPointF at, const QMouseEvent& event) override;
    void release(QPointF at, const QMouseEvent& event) override;
    void hover(QPointF at) override;
    void leave() override;
    bool key(const QKeyEvent& event) override;
    bool wants_key(const QKeyEvent& event) const override;
    void paint(QPainter& painter, const PictureView& view) const override;
    Qt::CursorShape cursor(QPointF at) const override;

signals:
    void brush_changed();  // by a key
    void refreshed();      // strokes or problem changed

private:
    void redraw();
    void show_part(const QRect& part);
    void draw_current(const QRect& part);
    void commit();

    GraphModel& model_;
    NodeId node_;
    nodes::StrokesEdit edit_;
    BrushSettings& brush_;
    std::vector<nodes::Stroke> strokes_;
    QString text_;  // that strokes_ were read from or written as
    QString problem_;
    nodes::MaskPixels base_{1, 1};  // of the strokes that are done
    nodes::MaskPixels mask_{1, 1};  // with the one that is drawn
    QImage overlay_;
    std::optional<nodes::Stroke> current_;
    std::optional<QPointF> hovered_;
    LatestTask task_;
};

}  // namespace app
