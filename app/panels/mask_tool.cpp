#include "app/panels/mask_tool.h"

#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "app/canvas/style.h"
#include "app/panels/picture_view.h"
#include "gpu/base/error.h"

namespace app {
namespace {

using nodes::Stroke;
using nodes::StrokeTool;

constexpr double opacity = 0.55;

// To hundredths, as the document keeps numbers: what is seen is what a run will draw.
double hundredths(double v) { return std::round(v * 100) / 100; }
nodes::StrokePoint kept(QPointF at) {
    const auto within = [](double v) { return std::clamp(hundredths(v), -nodes::max_stroke_coordinate, nodes::max_stroke_coordinate); };
    return {within(at.x()), within(at.y())};
}

bool freehand(StrokeTool tool) { return tool == StrokeTool::Brush || tool == StrokeTool::Eraser; }

std::optional<StrokeTool> tool_of_key(int key) {
    switch (key) {
        case Qt::Key_B: return StrokeTool::Brush;
        case Qt::Key_E: return StrokeTool::Eraser;
        case Qt::Key_L: return StrokeTool::Lasso;
        case Qt::Key_R: return StrokeTool::Rectangle;
        case Qt::Key_O: return StrokeTool::Ellipse;
        case Qt::Key_G: return StrokeTool::Gradient;
        case Qt::Key_F: return StrokeTool::Fill;
        default: return std::nullopt;
    }
}

}  // namespace

MaskTool::MaskTool(GraphModel& model, NodeId node, nodes::StrokesEdit edit, BrushSettings& brush, QObject* parent)
    : PictureTool(parent), model_(model), node_(std::move(node)), edit_(std::move(edit)), brush_(brush) {
    refresh();
}

void MaskTool::set_size(QSize size) {
    if (size.isEmpty() || (size.width() == base_.width && size.height() == base_.height)) return;
    if (brush_.fresh) {
        brush_.radius = std::clamp(std::round(std::min(size.width(), size.height()) / 16.0), 2.0, 200.0);
        emit brush_changed();
    }
    base_ = nodes::MaskPixels(size.width(), size.height());
    mask_ = base_;
    current_.reset();
    redraw();
}

void MaskTool::refresh() {
    const QString text = model_.contains(node_) ? model_.param(node_, edit_.strokes).toString() : QString();
    if (text == text_ && problem_.isEmpty()) return;
    text_ = text;
    current_.reset();
    try {
        strokes_ = nodes::parse_strokes(text.toUtf8());
        problem_.clear();
    } catch (const gpu::Error& error) {
        strokes_.clear();
        problem_ = QString::fromUtf8(error.what());
    }
    redraw();
    emit refreshed();
}

// Many strokes take a while: beside the window, which shows the former mask until they are there.
void MaskTool::redraw() {
    task_.start([strokes = strokes_, w = base_.width, h = base_.height] { return nodes::draw_strokes(strokes, w, h); },
                [this](nodes::MaskPixels drawn) {
                    base_ = std::move(drawn);
                    mask_ = base_;
                    overlay_ = QImage(base_.width, base_.height, QImage::Format_ARGB32_Premultiplied);
                    show_part({0, 0, base_.width, base_.height});
                });
}

void MaskTool::show_part(const QRect& part) {
    const auto red = static_cast<float>(brush_.colour.red()), green = static_cast<float>(brush_.colour.green()), blue = static_cast<float>(brush_.colour.blue());
    for (int y = part.top(); y <= part.bottom(); ++y) {
        auto* row = reinterpret_cast<QRgb*>(overlay_.scanLine(y));
        for (int x = part.left(); x <= part.right(); ++x) {
            const float a = std::clamp(mask_.at(x, y), 0.0f, 1.0f) * static_cast<float>(opacity);
            row[x] = qRgba(static_cast<int>(red * a), static_cast<int>(green * a), static_cast<int>(blue * a), static_cast<int>(255 * a));
        }
    }
    emit changed();
}

void MaskTool::clear() {
    if (strokes_.empty() && problem_.isEmpty()) return;
    model_.set_param(node_, edit_.strokes, QJsonValue(QJsonValue::Undefined));
}

void MaskTool::recolour() {
    if (!overlay_.isNull() && ready()) show_part({0, 0, base_.width, base_.height});
}

bool MaskTool::press(QPointF at, const QMouseEvent& event) {
    if (event.button() != Qt::LeftButton && event.button() != Qt::RightButton) return false;
    if (!ready() || !problem_.isEmpty() || overlay_.isNull() || !model_.contains(node_)) return true;
    Stroke stroke{.tool = brush_.tool, .points = {kept(at)}, .radius = hundredths(brush_.radius), .hardness = hundredths(brush_.hardness), .strength = hundredths(brush_.strength),
                  .erase = brush_.erase || event.button() == Qt::RightButton};
    if (stroke.tool == StrokeTool::Brush && stroke.erase) stroke.tool = StrokeTool::Eraser;
    if (stroke.tool == StrokeTool::Eraser) stroke.erase = false;  // it always does
    if (stroke.tool != StrokeTool::Fill && !freehand(stroke.tool) && stroke.tool != StrokeTool::Lasso) stroke.points.push_back(stroke.points[0]);
    const QRect part = nodes::stroke_bounds(stroke, base_.width, base_.height);
    current_ = std::move(stroke);
    draw_current(part);
    return true;
}

void MaskTool::drag(QPointF at, const QMouseEvent& event) {
    hovered_ = at;
    if (!current_ || current_->tool == StrokeTool::Fill) return emit changed();
    const nodes::StrokePoint point = kept(at);
    Stroke& stroke = *current_;
    if (!freehand(stroke.tool) && stroke.tool != StrokeTool::Lasso) {
        nodes::StrokePoint end = point;
        if (event.modifiers() & Qt::ShiftModifier && stroke.tool != StrokeTool::Gradient) {  // a square, a circle
            const double side = std::max(std::abs(point.x - stroke.points[0].x), std::abs(point.y - stroke.points[0].y));
            end = kept({stroke.points[0].x + std::copysign(side, point.x - stroke.points[0].x), stroke.points[0].y + std::copysign(side, point.y - stroke.points[0].y)});
        }
        const QRect before = nodes::stroke_bounds(stroke, base_.width, base_.height);
        stroke.points[1] = end;
        return draw_current(before | nodes::stroke_bounds(stroke, base_.width, base_.height));
    }
    // Points that are closer than anybody sees only make the document long.
    const double least = stroke.tool == StrokeTool::Lasso ? 1 : std::max(0.75, stroke.radius * 0.08);
    if (std::hypot(point.x - stroke.points.back().x, point.y - stroke.points.back().y) < least) return emit changed();
    if (stroke.points.size() >= nodes::max_stroke_points / 4) return;
    stroke.points.push_back(point);
    if (stroke.tool == StrokeTool::Lasso) return emit changed();
    Stroke last = stroke;
    last.points = {stroke.points[stroke.points.size() - 2], point};
    draw_current(nodes::stroke_bounds(last, base_.width, base_.height));
}

// The stroke as it is so far, within a part of the mask.
void MaskTool::draw_current(const QRect& part) {
    if (part.isEmpty()) return emit changed();
    for (int y = part.top(); y <= part.bottom(); ++y)
        std::copy_n(&base_.at(part.left(), y), part.width(), &mask_.at(part.left(), y));
    const QRect drawn = nodes::draw_stroke(mask_, *current_, part);
    show_part(part | drawn);
}

void MaskTool::release(QPointF, const QMouseEvent&) {
    if (!current_) return;
    if (current_->tool == StrokeTool::Lasso) {
        if (current_->points.size() < 3) {
            current_.reset();
            return emit changed();
        }
        draw_current(nodes::stroke_bounds(*current_, base_.width, base_.height));
    }
    // A click with a tool for areas draws none.
    const bool empty = !freehand(current_->tool) && current_->points.size() == 2 && current_->points[0] == current_->points[1];
    if (empty) {
        mask_ = base_;
        current_.reset();
        return show_part({0, 0, base_.width, base_.height});
    }
    commit();
}

void MaskTool::commit() {
    strokes_.push_back(*current_);
    base_ = mask_;
    current_.reset();
    text_ = QString::fromUtf8(nodes::strokes_json(strokes_));
    model_.set_param(node_, edit_.strokes, text_);
    emit refreshed();
}

void MaskTool::hover(QPointF at) {
    hovered_ = at;
    emit changed();
}

void MaskTool::leave() {
    hovered_.reset();
    emit changed();
}

bool MaskTool::wants_key(const QKeyEvent& event) const {
    if (event.modifiers() & ~Qt::ShiftModifier) return false;
    if (event.key() == Qt::Key_Escape) return current_.has_value();
    return tool_of_key(event.key()) || (event.key() >= Qt::Key_0 && event.key() <= Qt::Key_9) || event.key() == Qt::Key_BracketLeft ||
           event.key() == Qt::Key_BracketRight || event.key() == Qt::Key_BraceLeft || event.key() == Qt::Key_BraceRight;
}

bool MaskTool::key(const QKeyEvent& event) {
    if (!wants_key(event)) return false;
    if (const auto tool = tool_of_key(event.key())) {
        brush_.tool = *tool;
    } else if (event.key() == Qt::Key_Escape) {
        current_.reset();
        mask_ = base_;
        show_part({0, 0, base_.width, base_.height});
    } else if (event.key() >= Qt::Key_0 && event.key() <= Qt::Key_9) {
        brush_.strength = event.key() == Qt::Key_0 ? 1 : (event.key() - Qt::Key_0) / 10.0;
    } else if (event.key() == Qt::Key_BraceLeft || event.key() == Qt::Key_BraceRight) {
        brush_.hardness = std::clamp(brush_.hardness + (event.key() == Qt::Key_BraceLeft ? -0.1 : 0.1), 0.0, 1.0);
    } else {
        const double step = std::max(0.5, brush_.radius * 0.15);
        brush_.fresh = false;
        brush_.radius = std::clamp(brush_.radius + (event.key() == Qt::Key_BracketLeft ? -step : step), 0.5, 1024.0);
    }
    emit brush_changed();
    emit changed();
    return true;
}

void MaskTool::paint(QPainter& painter, const PictureView& view) const {
    if (!overlay_.isNull()) {
        painter.setRenderHint(QPainter::SmoothPixmapTransform, view.zoom() < 2);
        painter.drawImage(view.area(), overlay_);
    }
    const auto outline = [&painter](auto draw) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(QColor(0, 0, 0, 150), 3));
        draw();
        painter.setPen(QPen(Qt::white, 1.2));
        draw();
    };
    if (current_ && current_->tool == StrokeTool::Lasso) {
        QPolygonF polygon;
        for (const nodes::StrokePoint& p : current_->points) polygon << view.to_widget({p.x, p.y});
        painter.setPen(Qt::NoPen);
        QColor fill = current_->erase ? QColor(0, 0, 0) : brush_.colour;
        fill.setAlphaF(0.4f);
        painter.setBrush(fill);
        painter.drawPolygon(polygon, Qt::OddEvenFill);
        outline([&] { painter.drawPolyline(polygon); });
    }
    if (current_ && current_->points.size() == 2 && current_->tool == StrokeTool::Gradient)
        outline([&] {
            painter.drawLine(view.to_widget({current_->points[0].x, current_->points[0].y}), view.to_widget({current_->points[1].x, current_->points[1].y}));
        });
    if (!hovered_) return;
    const QPointF centre = view.to_widget(*hovered_);
    if (freehand(brush_.tool)) {
        const double radius = brush_.radius * view.zoom();
        outline([&] { painter.drawEllipse(centre, radius, radius); });
        const double inner = radius * brush_.hardness;
        if (radius - inner > 3 && inner > 1) {
            painter.setPen(QPen(QColor(255, 255, 255, 130), 1, Qt::DotLine));
            painter.drawEllipse(centre, inner, inner);
        }
    }
}

Qt::CursorShape MaskTool::cursor(QPointF) const { return freehand(brush_.tool) && brush_.radius * zoom() > 4 ? Qt::BlankCursor : Qt::CrossCursor; }

}  // namespace app
