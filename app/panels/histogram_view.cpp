#include "app/panels/histogram_view.h"

#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "app/canvas/style.h"

namespace app {
namespace {

constexpr int clip_width = 6;  // of the marks for what is cut off

}  // namespace

HistogramView::HistogramView(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("histogram"));
    setAccessibleName(tr("Histogram"));
    setFixedHeight(76);
}

void HistogramView::show_histogram(const Histogram& histogram) {
    histogram_ = histogram;
    const auto share = [&](const std::array<std::uint64_t, 3>& counts) {
        return histogram.pixels ? 100.0 * static_cast<double>(*std::ranges::max_element(counts)) / static_cast<double>(histogram.pixels) : 0;
    };
    setToolTip(tr("Below black: %1 % of the pixels\nAbove white: %2 %").arg(share(histogram.below), 0, 'f', 2).arg(share(histogram.above), 0, 'f', 2));
    update();
}

void HistogramView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), canvas_style().field);
    if (!histogram_.pixels) return;
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF area = QRectF(rect()).adjusted(clip_width + 2, 4, -clip_width - 2, -2);
    painter.setPen(QPen(canvas_style().border, 1));
    for (int i = 1; i < 4; ++i) painter.drawLine(QPointF(area.left() + area.width() * i / 4, area.top()), QPointF(area.left() + area.width() * i / 4, area.bottom()));
    // The ends hold what was cut off and would dwarf the rest: they do not count for the height. Square roots show small counts.
    double most = 1;
    for (const auto& levels : histogram_.levels) most = std::max<double>(most, *std::max_element(levels.begin() + 1, levels.end() - 1));
    const QColor colours[] = {QColor(226, 70, 70), QColor(70, 190, 90), QColor(80, 130, 240)};
    const bool dark = canvas_style().field.lightness() < 128;
    painter.setCompositionMode(dark ? QPainter::CompositionMode_Plus : QPainter::CompositionMode_Multiply);
    for (int c = 0; c < (histogram_.gray ? 1 : 3); ++c) {
        QPainterPath path(area.bottomLeft());
        for (int i = 0; i < 256; ++i) {
            const double h = std::min(1.0, std::sqrt(histogram_.levels[static_cast<std::size_t>(c)][static_cast<std::size_t>(i)] / most));
            path.lineTo(area.left() + area.width() * i / 255, area.bottom() - h * area.height());
        }
        path.lineTo(area.bottomRight());
        path.closeSubpath();
        QColor fill = histogram_.gray ? canvas_style().dim_text : colours[c];
        if (!dark) fill = mix(fill, Qt::white, 0.25);
        fill.setAlpha(dark ? 150 : 255);
        painter.fillPath(path, fill);
    }
    painter.setCompositionMode(QPainter::CompositionMode_SourceOver);
    // A mark at an end, as high as a channel has pixels beyond it: from a hundredth of the pixels on it is full.
    for (int c = 0; c < 3; ++c) {
        const auto mark = [&](std::uint64_t count, double x) {
            if (!count) return;
            const double share = std::min(1.0, 0.15 + 85.0 * static_cast<double>(count) / static_cast<double>(histogram_.pixels));
            const double third = area.height() / 3;
            painter.fillRect(QRectF(x, area.top() + c * third + third * (1 - share), clip_width - 1, third * share), histogram_.gray ? canvas_style().warning : colours[c]);
        };
        mark(histogram_.below[static_cast<std::size_t>(c)], 1);
        mark(histogram_.above[static_cast<std::size_t>(c)], width() - clip_width);
    }
}

}  // namespace app
