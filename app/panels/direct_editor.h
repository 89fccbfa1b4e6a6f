// The strip of tools above the picture for the node that is selected, when its type declares something that is edited on the
// picture (nodes/core/direct_edit.h): painting a mask, a box, margins, a pose, a transform.
#pragma once

#include <QButtonGroup>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>
#include <memory>

#include "app/model/run_controller.h"
#include "app/panels/mask_tool.h"
#include "app/panels/picture_view.h"

namespace app {

class BoxTool;
class PoseTool;
class TransformTool;

class DirectEditor : public QWidget {
    Q_OBJECT

public:
    DirectEditor(GraphModel& model, PictureView& view, QWidget* parent = nullptr);
    ~DirectEditor() override;

    // Makes the tool for a node; hides itself where the type declares none.
    void show_node(const NodeId& id);
    const NodeId& node() const { return node_; }
    bool active() const { return tool_ != nullptr; }
    // The output whose picture belongs under the tool; empty: whatever is shown.
    SocketId picture() const;
    // What is drawn on where there is no picture, and none can come from an input.
    QSize canvas() const;
    // The output whose picture is as large as a box that is moved only; empty: none is.
    SocketId box_picture() const;
    // Of the picture that is shown now, `cell` of the node's pixels for each of it; a null size: there is none.
    void set_picture_size(QSize size, int cell = 1);
    void restyle();

    MaskTool* mask_tool() const { return mask_; }
    BoxTool* box_tool() const { return box_; }
    PoseTool* pose_tool() const { return pose_; }
    TransformTool* transform_tool() const { return transform_; }

signals:
    // What lies under the tool is another: ask picture() and canvas() again.
    void picture_changed();

private:
    void close();
    void rebuild();
    SocketId source_of(const std::string& input) const;
    void make_strip();
    void make_mask_strip();
    void make_brush_row();
    void make_pose_strip();
    QToolButton* add_button(const char* name, int glyph, const QString& tip);
    QDoubleSpinBox* add_number(const char* name, const QString& label, const QString& tip, double min, double max, double step, const QString& suffix);
    void show_brush();
    void show_hint();

    GraphModel& model_;
    PictureView& view_;
    NodeId node_;
    std::optional<nodes::DirectEdit> edit_;
    std::unique_ptr<PictureTool> tool_;
    MaskTool* mask_ = nullptr;  // what tool_ is
    BoxTool* box_ = nullptr;
    TransformTool* transform_ = nullptr;
    PoseTool* pose_ = nullptr;
    BrushSettings brush_;
    QSize size_;
    int cell_ = 1;

    QHBoxLayout* layout_;
    QWidget* strip_ = nullptr;  // made anew for each tool
    QHBoxLayout* strip_layout_ = nullptr;
    QButtonGroup* tools_ = nullptr;
    QDoubleSpinBox *radius_ = nullptr, *hardness_ = nullptr, *strength_ = nullptr;
    QToolButton* erase_ = nullptr;
    QLabel* hint_ = nullptr;
};

}  // namespace app
