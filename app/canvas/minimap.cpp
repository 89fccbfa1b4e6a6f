#include "app/canvas/minimap.h"

#include <QMouseEvent>
#include <QPainter>

#include "app/canvas/view.h"

namespace app {
namespace {

constexpr int draw_delay_ms = 50;  // a drag of nodes draws it a few times, not for every step
constexpr qreal margin = 6;

}  // namespace

Minimap::Minimap(GraphView& view) : QWidget(&view), view_(view) {
    setObjectName(QStringLiteral("minimap"));
    setAccessibleName(tr("Overview of the graph"));
    setFocusPolicy(Qt::NoFocus);
    setCursor(Qt::PointingHandCursor);
    draw_later_.setSingleShot(true);
    draw_later_.setInterval(draw_delay_ms);
    connect(&draw_later_, &QTimer::timeout, this, qOverload<>(&QWidget::update));
    const GraphModel& model = view_.graph().model();
    connect(&model, &GraphModel::edited, this, &Minimap::changed);
    connect(&view_.graph(), &GraphScene::all_laid_out, this, &Minimap::changed);
    connect(&view_, &GraphView::view_changed, this, qOverload<>(&QWidget::update));
}

void Minimap::changed() {
    dirty_ = true;
    if (isVisible()) draw_later_.start();
}

void Minimap::draw() {
    dirty_ = false;
    ++times_drawn_;
    const Style& style = canvas_style();
    const GraphScene& scene = view_.graph();
    const QRectF room = QRectF(rect()).adjusted(margin, margin, -margin, -margin);
    area_ = scene.content().adjusted(-60, -60, 60, 60);
    // The shape of the widget, so that one scale holds for both directions.
    const qreal scale = std::min(room.width() / area_.width(), room.height() / area_.height());
    const QPointF middle = area_.center();
    area_.setSize({rect().width() / scale, rect().height() / scale});
    area_.moveCenter(middle);

    picture_ = QPixmap(size() * devicePixelRatioF());
    picture_.setDevicePixelRatio(devicePixelRatioF());
    picture_.fill(style.panel);
    QPainter painter(&picture_);
    const auto place = [&](const QRectF& box) {
        const QRectF at((box.left() - area_.left()) * scale, (box.top() - area_.top()) * scale, box.width() * scale, box.height() * scale);
        return QRectF(at.topLeft(), QSizeF(std::max(1.5, at.width()), std::max(1.5, at.height())));
    };
    const std::vector<FrameItem*>& frames = scene.frames_inside_out();
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) painter.fillRect(place((*frame)->box()), mix(style.panel, (*frame)->tone(), 0.35));
    for (const NodeId& id : scene.model().node_ids())
        if (const NodeItem* node = scene.item(id)) painter.fillRect(place(node->card_in_scene()), mix(style.category(node->shown_look().category), style.title_text, 0.25));
}

QPointF Minimap::to_scene(QPointF point) const {
    return {area_.left() + point.x() / width() * area_.width(), area_.top() + point.y() / height() * area_.height()};
}

void Minimap::paintEvent(QPaintEvent*) {
    if (dirty_ && !draw_later_.isActive()) draw();
    const Style& style = canvas_style();
    QPainter painter(this);
    painter.fillRect(rect(), style.panel);
    painter.drawPixmap(0, 0, picture_);
    const QRectF seen = view_.mapToScene(view_.viewport()->rect()).boundingRect();
    const qreal scale = area_.width() > 0 ? width() / area_.width() : 1;
    const QRectF window((seen.left() - area_.left()) * scale, (seen.top() - area_.top()) * scale, seen.width() * scale, seen.height() * scale);
    QColor tint = style.accent;
    tint.setAlphaF(0.14f);
    painter.setBrush(tint);
    painter.setPen(QPen(style.accent, 1));
    painter.drawRect(window.intersected(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5)));
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(style.border, 1));
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

void Minimap::showEvent(QShowEvent*) { dirty_ = true; }
void Minimap::resizeEvent(QResizeEvent*) { dirty_ = true; }

void Minimap::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) view_.look_at(to_scene(event->position()));
    event->accept();
}

void Minimap::mouseMoveEvent(QMouseEvent* event) {
    if (event->buttons() & Qt::LeftButton) view_.look_at(to_scene(event->position()));
    event->accept();
}

}  // namespace app
