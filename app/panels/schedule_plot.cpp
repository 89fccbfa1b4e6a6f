#include "app/panels/schedule_plot.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "app/canvas/style.h"
#include "nodes/types/sampling.h"

namespace app {
namespace {

constexpr double margin = 8, dots_from = 5;  // widget pixels; dots only where levels are that far apart

bool goes_along(const QKeyEvent& event) { return event.key() == Qt::Key_Left || event.key() == Qt::Key_Right; }

}  // namespace

SchedulePlot::SchedulePlot(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("schedule_plot"));
    setAccessibleName(tr("Noise levels of the schedule"));
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    hide();
}

QSize SchedulePlot::sizeHint() const { return {200, 150}; }

void SchedulePlot::show_values(const std::vector<nodes::Value>& values) {
    sigmas_.clear();
    timesteps_.clear();
    for (const nodes::Value& value : values) {
        const auto* schedule = value.get<nodes::Sampling>();
        if (!schedule || schedule->calls.empty()) continue;
        const auto add = [this](const nodes::NoiseLevel& level) {
            if (!std::isfinite(level.sigma())) return;
            sigmas_.push_back(level.sigma());
            timesteps_.push_back(level.timestep);
        };
        for (const nodes::NoiseLevel& level : schedule->calls) add(level);
        add(schedule->levels.back());
        break;
    }
    setVisible(sigmas_.size() > 1);
    choose(std::min(chosen_, static_cast<int>(sigmas_.size()) - 1));
}

QRectF SchedulePlot::area() const {
    return QRectF(rect()).adjusted(margin, margin + fontMetrics().height(), -margin, -margin - fontMetrics().height());
}

QPointF SchedulePlot::place(int level) const {
    const QRectF box = area();
    const double highest = std::max(*std::ranges::max_element(sigmas_), 1e-9);
    return {box.left() + box.width() * level / static_cast<double>(sigmas_.size() - 1), box.bottom() - box.height() * sigmas_[static_cast<std::size_t>(level)] / highest};
}

QString SchedulePlot::described(int level) const {
    const auto at = static_cast<std::size_t>(level);
    const QString sigma = QString::number(sigmas_[at], 'g', 4);
    if (at + 1 == sigmas_.size()) return tr("end: \u03c3 %1").arg(sigma);
    return tr("call %1 of %2: \u03c3 %3, timestep %4").arg(level + 1).arg(sigmas_.size() - 1).arg(sigma, QString::number(timesteps_[at], 'g', 5));
}

void SchedulePlot::choose(int level) {
    chosen_ = level;
    setAccessibleDescription(level < 0 ? QString() : described(level));
    update();
}

bool SchedulePlot::event(QEvent* event) {
    if (event->type() == QEvent::ShortcutOverride && goes_along(*static_cast<QKeyEvent*>(event))) {
        event->accept();
        return true;
    }
    return QWidget::event(event);
}

void SchedulePlot::keyPressEvent(QKeyEvent* event) {
    if (!goes_along(*event) || sigmas_.empty()) return QWidget::keyPressEvent(event);
    choose(std::clamp(chosen_ + (event->key() == Qt::Key_Right ? 1 : -1), 0, static_cast<int>(sigmas_.size()) - 1));
}

void SchedulePlot::mouseMoveEvent(QMouseEvent* event) {
    if (sigmas_.size() < 2) return;
    const double share = (event->position().x() - area().left()) / std::max(area().width(), 1.0);
    choose(std::clamp(static_cast<int>(std::lround(share * static_cast<double>(sigmas_.size() - 1))), 0, static_cast<int>(sigmas_.size()) - 1));
}

void SchedulePlot::leaveEvent(QEvent*) {
    if (!hasFocus()) choose(-1);
}

void SchedulePlot::paintEvent(QPaintEvent*) {
    if (sigmas_.size() < 2) return;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Style& style = canvas_style();
    painter.setPen(QPen(hasFocus() ? style.accent : style.border, 1));
    painter.setBrush(style.canvas);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    const QRectF box = area();
    painter.setPen(QPen(style.border, 1));
    painter.drawLine(box.bottomLeft(), box.bottomRight());
    painter.drawLine(box.topLeft(), box.bottomLeft());
    const auto count = static_cast<int>(sigmas_.size());
    QPolygonF line;
    for (int i = 0; i < count; ++i) line.append(place(i));
    painter.setPen(QPen(style.accent, 1.6));
    painter.drawPolyline(line);
    if (box.width() / count >= dots_from) {
        painter.setBrush(style.accent);
        for (const QPointF& at : line) painter.drawEllipse(at, 2, 2);
    }
    painter.setPen(style.dim_text);
    const QRectF above(box.left(), 0, box.width(), box.top()), below(box.left(), box.bottom(), box.width(), height() - box.bottom());
    painter.drawText(above, Qt::AlignLeft | Qt::AlignVCenter, tr("\u03c3 %1").arg(*std::ranges::max_element(sigmas_), 0, 'g', 4));
    painter.drawText(below, Qt::AlignRight | Qt::AlignVCenter, tr("%n calls", nullptr, count - 1));
    if (chosen_ < 0) return;
    painter.setPen(QPen(style.text, 1, Qt::DotLine));
    painter.drawLine(QPointF(place(chosen_).x(), box.top()), QPointF(place(chosen_).x(), box.bottom()));
    painter.setPen(Qt::NoPen);
    painter.setBrush(style.text);
    painter.drawEllipse(place(chosen_), 3.5, 3.5);
    painter.setPen(style.text);
    painter.drawText(above, Qt::AlignRight | Qt::AlignVCenter, described(chosen_));
}

}  // namespace app
