#include "app/panels/curve_editor.h"

#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "app/canvas/style.h"

namespace app {
namespace {

using nodes::Curve;
using nodes::CurvePoint;

constexpr double margin = 7, point_radius = 4, reach = 9;  // widget pixels
constexpr double least_gap = 0.005;                        // between the x of neighbours
constexpr double small_step = 0.01, large_step = 0.1;      // of arrow keys

double rounded(double value) { return std::round(value * 1e4) / 1e4; }

bool is_for_curve(const QKeyEvent& event) {
    switch (event.key()) {
        case Qt::Key_Left:
        case Qt::Key_Right:
        case Qt::Key_Up:
        case Qt::Key_Down:
        case Qt::Key_PageUp:
        case Qt::Key_PageDown:
        case Qt::Key_Insert:
        case Qt::Key_Delete:
        case Qt::Key_Backspace: return !(event.modifiers() & (Qt::ControlModifier | Qt::AltModifier));
        default: return false;
    }
}

}  // namespace

bool is_curve(const nodes::Node& type, const std::string& param) {
    const auto* edited = dynamic_cast<const nodes::CurveEdited*>(&type);
    return edited && std::ranges::count(edited->curve_params(), param) > 0;
}

CurveEditor::CurveEditor(const nodes::ParamInfo& info) : ParamEditor(info) {
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::CrossCursor);
    QSizePolicy wide(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setSizePolicy(wide);
    setWhatsThis(tr("A press on nothing adds a point, points are dragged, the right button removes one. Keys: Page Up and Page Down choose a point, "
                    "arrows move it (Shift: far), Insert adds one, Delete removes it."));
}

QSize CurveEditor::sizeHint() const { return {200, 160}; }

void CurveEditor::show_value(const QJsonValue& value) {
    const auto curve = nodes::parse_curve(value.toString().toStdString());
    broken_ = !curve;
    const Curve shown = curve.value_or(Curve());
    if (shown.points.size() != curve_.points.size()) chosen_ = std::min(chosen_, static_cast<int>(shown.points.size()) - 1);
    curve_ = shown;
    choose(chosen_);
}

// --- places ---

QRectF CurveEditor::area() const { return QRectF(rect()).adjusted(margin, margin, -margin, -margin); }

QPointF CurveEditor::place(CurvePoint point) const {
    const QRectF box = area();
    return {box.left() + point.x * box.width(), box.bottom() - point.y * box.height()};
}

CurvePoint CurveEditor::value_at(QPointF at) const {
    const QRectF box = area();
    return {rounded(std::clamp((at.x() - box.left()) / std::max(box.width(), 1.0), 0.0, 1.0)),
            rounded(std::clamp((box.bottom() - at.y()) / std::max(box.height(), 1.0), 0.0, 1.0))};
}

int CurveEditor::point_at(QPointF at) const {
    int best = -1;
    double nearest = reach;
    for (std::size_t i = 0; i < curve_.points.size(); ++i) {
        const QPointF way = place(curve_.points[i]) - at;
        if (const double far = std::hypot(way.x(), way.y()); far <= nearest) best = static_cast<int>(i), nearest = far;
    }
    return best;
}

// --- edits ---

void CurveEditor::choose(int point) {
    chosen_ = point;
    if (point >= 0) {
        const CurvePoint& at = curve_.points[static_cast<std::size_t>(point)];
        setAccessibleDescription(tr("Point %1 of %2: %3 becomes %4").arg(point + 1).arg(curve_.points.size()).arg(at.x).arg(at.y));
    }
    update();
}

void CurveEditor::add(CurvePoint point, Gesture gesture) {
    auto& points = curve_.points;
    if (points.size() >= Curve::most_points) return;
    const auto after = std::ranges::lower_bound(points, point.x, {}, &CurvePoint::x);
    const bool room = (after == points.end() || after->x - point.x >= least_gap) && (after == points.begin() || point.x - (after - 1)->x >= least_gap);
    if (!room) return;
    const auto made = static_cast<int>(after - points.begin());
    points.insert(after, point);
    choose(made);
    send(gesture);
}

void CurveEditor::move_chosen(CurvePoint to, Gesture gesture) {
    if (chosen_ < 0) return;
    auto& points = curve_.points;
    const auto at = static_cast<std::size_t>(chosen_);
    const double low = at == 0 ? 0 : points[at - 1].x + least_gap, high = at + 1 == points.size() ? 1 : points[at + 1].x - least_gap;
    const CurvePoint next{rounded(std::clamp(to.x, std::min(low, points[at].x), std::max(high, points[at].x))), rounded(std::clamp(to.y, 0.0, 1.0))};
    if (next == points[at]) return;
    points[at] = next;
    choose(chosen_);
    send(gesture);
}

void CurveEditor::remove(int point) {
    if (point < 0 || curve_.points.size() <= Curve::least_points) return;
    curve_.points.erase(curve_.points.begin() + point);
    choose(std::min(point, static_cast<int>(curve_.points.size()) - 1));
    send(Gesture::none());
}

void CurveEditor::send(Gesture gesture) {
    broken_ = false;
    emit edited(qt(nodes::curve_text(curve_)), gesture);
}

// --- events ---

bool CurveEditor::event(QEvent* event) {
    // Delete and arrows are commands of the window, too.
    if (event->type() == QEvent::ShortcutOverride && is_for_curve(*static_cast<QKeyEvent*>(event))) {
        event->accept();
        return true;
    }
    return ParamEditor::event(event);
}

void CurveEditor::mousePressEvent(QMouseEvent* event) {
    const int point = point_at(event->position());
    if (event->button() == Qt::RightButton) return remove(point);
    if (event->button() != Qt::LeftButton) return;
    drag_ = Gesture::next();
    dragging_ = true;
    point >= 0 ? choose(point) : add(value_at(event->position()), drag_);
}

void CurveEditor::mouseMoveEvent(QMouseEvent* event) {
    if (dragging_ && event->buttons() & Qt::LeftButton) move_chosen(value_at(event->position()), drag_);
}

void CurveEditor::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) dragging_ = false;
}

void CurveEditor::focusInEvent(QFocusEvent* event) {
    if (chosen_ < 0 && event->reason() != Qt::MouseFocusReason) choose(0);
    update();
}

void CurveEditor::keyPressEvent(QKeyEvent* event) {
    if (!is_for_curve(*event)) return ParamEditor::keyPressEvent(event);
    const int count = static_cast<int>(curve_.points.size());
    if (chosen_ < 0) choose(0);
    const CurvePoint now = curve_.points[static_cast<std::size_t>(chosen_)];
    const double step = event->modifiers() & Qt::ShiftModifier ? large_step : small_step;
    switch (event->key()) {
        case Qt::Key_PageUp: return choose((chosen_ + count - 1) % count);
        case Qt::Key_PageDown: return choose((chosen_ + 1) % count);
        case Qt::Key_Left: return move_chosen({now.x - step, now.y}, gesture());
        case Qt::Key_Right: return move_chosen({now.x + step, now.y}, gesture());
        case Qt::Key_Up: return move_chosen({now.x, now.y + step}, gesture());
        case Qt::Key_Down: return move_chosen({now.x, now.y - step}, gesture());
        case Qt::Key_Insert: {
            // On the line, half way to the next point; after the last one half way from the one before.
            const CurvePoint other = curve_.points[static_cast<std::size_t>(chosen_ + 1 < count ? chosen_ + 1 : chosen_ - 1)];
            const double x = rounded((now.x + other.x) / 2);
            return add({x, rounded(curve_.at(x))}, Gesture::none());
        }
        default: return remove(chosen_);
    }
}

QColor CurveEditor::tone() const {
    const std::string& name = info().name;
    if (name == "red") return QColor(0xe0, 0x5a, 0x5a);
    if (name == "green") return QColor(0x4f, 0xae, 0x63);
    if (name == "blue") return QColor(0x5b, 0x8d, 0xe8);
    return canvas_style().text;
}

void CurveEditor::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Style& style = canvas_style();
    const QRectF box = area();
    painter.setPen(QPen(hasFocus() ? style.accent : style.border, 1));
    painter.setBrush(style.canvas);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    painter.setPen(QPen(style.border, 1));
    for (int i = 1; i < 4; ++i) {
        painter.drawLine(QPointF(box.left() + box.width() * i / 4, box.top()), QPointF(box.left() + box.width() * i / 4, box.bottom()));
        painter.drawLine(QPointF(box.left(), box.top() + box.height() * i / 4), QPointF(box.right(), box.top() + box.height() * i / 4));
    }
    painter.setPen(QPen(style.border, 1, Qt::DashLine));
    painter.drawLine(box.bottomLeft(), box.topRight());
    if (broken_) {
        painter.setPen(style.failed);
        painter.drawText(box, Qt::AlignCenter | Qt::TextWordWrap, tr("This text is no curve; the first edit replaces it"));
    }
    QPainterPath line(place({0, curve_.at(0)}));
    for (int x = 1; x <= static_cast<int>(box.width()); ++x) line.lineTo(place({x / box.width(), curve_.at(x / box.width())}));
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(tone(), 1.6));
    painter.drawPath(line);
    for (std::size_t i = 0; i < curve_.points.size(); ++i) {
        const bool chosen = static_cast<int>(i) == chosen_;
        painter.setPen(QPen(tone(), 1.4));
        painter.setBrush(chosen ? style.accent : style.canvas);
        painter.drawEllipse(place(curve_.points[i]), point_radius, point_radius);
    }
    if (chosen_ < 0) return;
    const CurvePoint& at = curve_.points[static_cast<std::size_t>(chosen_)];
    const QString text = QStringLiteral("%1 \u2192 %2").arg(at.x, 0, 'g', 4).arg(at.y, 0, 'g', 4);
    painter.setPen(style.dim_text);
    const bool low = at.y < 0.5 && at.x > 0.5;      // out of the way of the point
    painter.drawText(box.adjusted(4, 2, -4, -2), (low ? Qt::AlignTop | Qt::AlignLeft : Qt::AlignBottom | Qt::AlignRight), text);
}

}  // namespace app
