#include "app/panels/direct_editor.h"

#include <QSignalBlocker>
#include <QVBoxLayout>
#include <algorithm>

#include "app/panels/box_tool.h"
#include "app/panels/pose_tool.h"
#include "app/panels/transform_tool.h"
#include "app/panels/viewer_icons.h"

namespace app {
namespace {

using nodes::StrokeTool;

struct ToolButton {
    StrokeTool tool;
    ViewerGlyph glyph;
    const char* name;
    const char* tip;
};
constexpr ToolButton tool_buttons[] = {
    {StrokeTool::Brush, ViewerGlyph::Brush, "tool_brush", QT_TRANSLATE_NOOP("app::DirectEditor", "Brush (B); the right button erases")},
    {StrokeTool::Eraser, ViewerGlyph::Eraser, "tool_eraser", QT_TRANSLATE_NOOP("app::DirectEditor", "Eraser (E)")},
    {StrokeTool::Lasso, ViewerGlyph::Lasso, "tool_lasso", QT_TRANSLATE_NOOP("app::DirectEditor", "Lasso (L)")},
    {StrokeTool::Rectangle, ViewerGlyph::Rectangle, "tool_rectangle", QT_TRANSLATE_NOOP("app::DirectEditor", "Rectangle (R); Shift: a square")},
    {StrokeTool::Ellipse, ViewerGlyph::Ellipse, "tool_ellipse", QT_TRANSLATE_NOOP("app::DirectEditor", "Ellipse (O); Shift: a circle")},
    {StrokeTool::Gradient, ViewerGlyph::Gradient, "tool_gradient", QT_TRANSLATE_NOOP("app::DirectEditor", "Gradient (G), from nothing to everything")},
    {StrokeTool::Fill, ViewerGlyph::Fill, "tool_fill", QT_TRANSLATE_NOOP("app::DirectEditor", "Fill (F) what is enclosed")},
};

}  // namespace

DirectEditor::DirectEditor(GraphModel& model, PictureView& view, QWidget* parent)
    : QWidget(parent), model_(model), view_(view), layout_(new QHBoxLayout(this)) {
    setObjectName(QStringLiteral("direct_editor"));
    layout_->setContentsMargins(8, 0, 6, 4);
    layout_->setSpacing(0);
    hide();
    connect(&model_, &GraphModel::reset, this, &DirectEditor::close);
    connect(&model_, &GraphModel::level_changed, this, &DirectEditor::close);
    connect(&model_, &GraphModel::node_removed, this, [this](const NodeId& id) {
        if (id == node_) close();
    });
    connect(&model_, &GraphModel::node_renamed, this, [this](const NodeId& from, const NodeId& to) {
        if (from != node_) return;
        node_ = to;
        rebuild();
    });
    connect(&model_, &GraphModel::node_changed, this, [this](const NodeId& id) {
        if (id != node_ || !tool_) return;
        if (mask_) mask_->refresh();
        if (pose_) pose_->refresh();
        show_hint();
        view_.update();
        emit picture_changed();  // the canvas may have another size
    });
    for (const auto signal : {&GraphModel::link_added, &GraphModel::link_removed})
        connect(&model_, signal, this, [this](const LinkId& link) {
            if (link.to.node == node_ && tool_) emit picture_changed();
        });
}

DirectEditor::~DirectEditor() = default;

void DirectEditor::close() {
    node_.clear();
    rebuild();
}

void DirectEditor::show_node(const NodeId& id) {
    // A node that is just being removed may still be selected.
    const NodeId wanted = model_.contains(id) ? id : NodeId();
    if (wanted == node_ && tool_) return;
    node_ = wanted;
    rebuild();
}

void DirectEditor::rebuild() {
    view_.set_tool(nullptr);
    tool_.reset();
    mask_ = nullptr, box_ = nullptr, pose_ = nullptr, transform_ = nullptr;
    edit_.reset();
    const nodes::Node* type = node_.empty() || !model_.contains(node_) ? nullptr : model_.declaration(node_);
    if (const auto edits = nodes::direct_edits_of(type); !edits.empty()) edit_ = edits.front();
    if (edit_) {
        if (const auto* strokes = std::get_if<nodes::StrokesEdit>(&*edit_))
            tool_.reset(mask_ = new MaskTool(model_, node_, *strokes, brush_));
        else if (const auto* pose = std::get_if<nodes::PoseEdit>(&*edit_))
            tool_.reset(pose_ = new PoseTool(model_, node_, *pose));
        else if (const auto* box = std::get_if<nodes::BoxEdit>(&*edit_))
            tool_.reset(box_ = new BoxTool(model_, node_, *box));
        else if (const auto* margins = std::get_if<nodes::MarginEdit>(&*edit_))
            tool_.reset(box_ = new BoxTool(model_, node_, *margins));
        else if (const auto* place = std::get_if<nodes::PlaceEdit>(&*edit_))
            tool_.reset(box_ = new BoxTool(model_, node_, *place));
        else if (const auto* transform = std::get_if<nodes::TransformEdit>(&*edit_))
            tool_.reset(transform_ = new TransformTool(model_, node_, *transform));
        else
            edit_.reset();  // a street has an editor of its own
    }
    make_strip();
    setVisible(tool_ != nullptr);
    set_picture_size(size_, cell_);
}

void DirectEditor::restyle() {
    if (tool_) make_strip();
}

SocketId DirectEditor::picture() const {
    if (!edit_ || !model_.contains(node_)) return {};
    std::string input;
    if (const auto* strokes = std::get_if<nodes::StrokesEdit>(&*edit_)) input = strokes->picture;
    if (const auto* box = std::get_if<nodes::BoxEdit>(&*edit_)) input = box->picture;
    if (const auto* margins = std::get_if<nodes::MarginEdit>(&*edit_)) input = margins->picture;
    if (const auto* place = std::get_if<nodes::PlaceEdit>(&*edit_)) input = place->picture;
    if (const auto* transform = std::get_if<nodes::TransformEdit>(&*edit_)) input = transform->picture;
    return source_of(input);
}

SocketId DirectEditor::box_picture() const {
    const auto* place = edit_ ? std::get_if<nodes::PlaceEdit>(&*edit_) : nullptr;
    return place && model_.contains(node_) ? source_of(place->over) : SocketId();
}

SocketId DirectEditor::source_of(const std::string& input) const {
    if (input.empty()) return {};
    // Through pieces of wire, which hold no values.
    SocketId at{node_, input, false};
    for (int steps = 0; steps < 100; ++steps) {
        SocketId from;
        for (const LinkId& link : model_.links_of(at.node))
            if (link.sink() == at) from = link.source();
        const nodes::Node* type = from.empty() ? nullptr : model_.declaration(from.node);
        if (!type || !type->info().wire) return from;
        at = {from.node, "value", false};
    }
    return {};
}

QSize DirectEditor::canvas() const {
    if (pose_) return pose_->canvas();
    const auto* strokes = edit_ ? std::get_if<nodes::StrokesEdit>(&*edit_) : nullptr;
    if (!strokes || !model_.contains(node_) || !picture().empty()) return {};
    return {model_.param(node_, strokes->width).toInt(), model_.param(node_, strokes->height).toInt()};
}

void DirectEditor::set_picture_size(QSize size, int cell) {
    size_ = size;
    cell_ = cell;
    if (!tool_) return;
    if (mask_) mask_->set_size(size);
    if (box_) box_->set_size(size, cell);
    if (pose_) pose_->set_size(size);
    if (transform_) transform_->set_size(size);
    view_.set_tool(size.isEmpty() ? nullptr : tool_.get());
    show_hint();
}

QToolButton* DirectEditor::add_button(const char* name, int glyph, const QString& tip) {
    auto* button = new QToolButton(strip_);
    button->setObjectName(QString::fromLatin1(name));
    button->setIcon(viewer_icon(static_cast<ViewerGlyph>(glyph)));
    button->setToolTip(tip);
    button->setAccessibleName(tip);
    button->setFocusPolicy(Qt::TabFocus);
    strip_layout_->addWidget(button);
    return button;
}

QDoubleSpinBox* DirectEditor::add_number(const char* name, const QString& label, const QString& tip, double min, double max, double step, const QString& suffix) {
    auto* box = new QDoubleSpinBox(strip_);
    box->setObjectName(QString::fromLatin1(name));
    box->setPrefix(label + ' ');
    box->setSuffix(suffix);
    box->setToolTip(tip);
    box->setAccessibleName(tip);
    box->setDecimals(0);
    box->setRange(min, max);
    box->setSingleStep(step);
    box->setButtonSymbols(QAbstractSpinBox::NoButtons);
    box->setFocusPolicy(Qt::ClickFocus);
    strip_layout_->addWidget(box);
    return box;
}

void DirectEditor::make_strip() {
    if (strip_) {
        strip_->hide();
        strip_->deleteLater();  // may hold the button that brought us here
    }
    strip_ = nullptr, tools_ = nullptr, hint_ = nullptr, erase_ = nullptr;
    radius_ = hardness_ = strength_ = nullptr;
    if (!tool_) return;
    strip_ = new QWidget(this);
    auto* rows = new QVBoxLayout(strip_);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(2);
    strip_layout_ = new QHBoxLayout;
    strip_layout_->setSpacing(2);
    rows->addLayout(strip_layout_);
    layout_->addWidget(strip_);
    if (mask_) make_mask_strip();
    if (pose_) make_pose_strip();
    hint_ = new QLabel(strip_);
    hint_->setObjectName(QStringLiteral("dim"));
    hint_->setTextFormat(Qt::PlainText);
    hint_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    strip_layout_->addWidget(hint_, 1);
    if (mask_) {  // the buttons leave no room for numbers
        strip_layout_ = new QHBoxLayout;
        strip_layout_->setSpacing(4);
        rows->addLayout(strip_layout_);
        make_brush_row();
    }
    show_hint();
}

void DirectEditor::make_mask_strip() {
    tools_ = new QButtonGroup(strip_);
    for (const ToolButton& each : tool_buttons) {
        QToolButton* button = add_button(each.name, static_cast<int>(each.glyph), tr(each.tip));
        button->setCheckable(true);
        tools_->addButton(button, static_cast<int>(each.tool));
    }
    connect(tools_, &QButtonGroup::idClicked, this, [this](int id) {
        brush_.tool = static_cast<StrokeTool>(id);
        view_.setFocus();
        show_brush();
    });
    erase_ = add_button("tool_erase", static_cast<int>(ViewerGlyph::Invert), tr("Take away instead of adding"));
    erase_->setCheckable(true);
    connect(erase_, &QToolButton::toggled, this, [this](bool on) { brush_.erase = on; });
    QToolButton* clear = add_button("tool_clear", static_cast<int>(ViewerGlyph::Clear), tr("Remove all strokes"));
    connect(clear, &QToolButton::clicked, this, [this] {
        if (mask_) mask_->clear();
    });
    auto* colour = add_button("tool_colour", static_cast<int>(ViewerGlyph::Overlay), tr("Another colour to show the mask in"));
    connect(colour, &QToolButton::clicked, this, [this] {
        static const QColor colours[] = {{0, 214, 120}, {255, 64, 72}, {60, 130, 255}, {255, 190, 0}};
        const auto at = std::ranges::find(colours, brush_.colour);
        brush_.colour = at == std::end(colours) || at + 1 == std::end(colours) ? colours[0] : at[1];
        mask_->recolour();
    });
    connect(mask_, &MaskTool::brush_changed, this, &DirectEditor::show_brush);
    connect(mask_, &MaskTool::refreshed, this, &DirectEditor::show_hint);
}

void DirectEditor::make_brush_row() {
    radius_ = add_number("brush_radius", tr("Size"), tr("Radius of the brush, in pixels of the picture ([ and ])"), 0.5, 1024, 1, {});
    hardness_ = add_number("brush_hardness", tr("Hard"), tr("Hardness of its edge ({ and })"), 0, 100, 10, QStringLiteral(" %"));
    strength_ = add_number("brush_strength", tr("Strength"), tr("How strongly it covers (digits)"), 0, 100, 10, QStringLiteral(" %"));
    connect(radius_, &QDoubleSpinBox::valueChanged, this, [this](double v) {
        brush_.radius = v;
        brush_.fresh = false;
    });
    connect(hardness_, &QDoubleSpinBox::valueChanged, this, [this](double v) { brush_.hardness = v / 100; });
    connect(strength_, &QDoubleSpinBox::valueChanged, this, [this](double v) { brush_.strength = v / 100; });
    show_brush();
}

void DirectEditor::make_pose_strip() {
    QToolButton* add18 = add_button("add_person", static_cast<int>(ViewerGlyph::AddPerson), tr("Add a person of 18 points"));
    connect(add18, &QToolButton::clicked, this, [this] { pose_->add_person(nodes::Skeleton::Coco18); });
    QToolButton* add25 = add_button("add_person_25", static_cast<int>(ViewerGlyph::AddPerson), tr("Add a person of 25 points, with feet"));
    add25->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    add25->setText(QStringLiteral("25"));
    connect(add25, &QToolButton::clicked, this, [this] { pose_->add_person(nodes::Skeleton::Body25); });
    QToolButton* remove = add_button("remove_person", static_cast<int>(ViewerGlyph::RemovePerson), tr("Remove the person that was touched last"));
    connect(remove, &QToolButton::clicked, this, [this] { pose_->remove_person(); });
    connect(pose_, &PoseTool::refreshed, this, &DirectEditor::show_hint);
}

void DirectEditor::show_brush() {
    if (!tools_ || !radius_) return;
    if (auto* button = tools_->button(static_cast<int>(brush_.tool))) button->setChecked(true);
    const QSignalBlocker a(radius_), b(hardness_), c(strength_);
    radius_->setValue(brush_.radius);
    hardness_->setValue(brush_.hardness * 100);
    strength_->setValue(brush_.strength * 100);
    radius_->setEnabled(brush_.tool == StrokeTool::Brush || brush_.tool == StrokeTool::Eraser);
    hardness_->setEnabled(radius_->isEnabled());
    view_.update();
}

void DirectEditor::show_hint() {
    if (!hint_) return;
    QString text;
    if (mask_) text = !mask_->problem().isEmpty() ? mask_->problem() : tr("%n stroke(s)", nullptr, mask_->strokes());
    if (pose_) {
        const auto& edit = std::get<nodes::PoseEdit>(*edit_);
        const bool from_file = !edit.file.empty() && !model_.param(node_, edit.file).toString().isEmpty();
        text = from_file                      ? tr("The points come from a file: clear it to edit them here")
               : !pose_->problem().isEmpty() ? pose_->problem()
                                             : tr("%n person(s); drag points, Shift moves all, right click hides", nullptr, pose_->people());
    }
    if (box_) text = box_picture().empty() ? tr("Drag the sides, corners or the box") : tr("Drag the box");
    if (transform_) text = tr("Drag the picture, a corner to scale it, the knob to turn it (Shift: by 15\u00b0)");
    if (size_.isEmpty() && !pose_) text = tr("Run once to see the picture under it");
    hint_->setText(' ' + text);
    hint_->setToolTip(text);
}

}  // namespace app
