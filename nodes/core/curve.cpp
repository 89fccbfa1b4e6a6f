#include "nodes/core/curve.h"

#include <QLocale>
#include <QStringList>
#include <algorithm>
#include <cmath>

#include "gpu/base/format.h"

namespace nodes {
namespace {

QString short_text(double value) { return QString::number(value, 'g', QLocale::FloatingPointShortest); }

bool well_formed(const Curve& curve) {
    if (curve.points.size() < Curve::least_points || curve.points.size() > Curve::most_points) return false;
    double before = -1;
    for (const auto& [x, y] : curve.points) {
        if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1 && x > before)) return false;
        before = x;
    }
    return true;
}

// The slope at a point inside: a harmonic mean of those beside it, 0 where they turn (Fritsch and Butland).
double inner_slope(double width_before, double before, double width_after, double after) {
    if (before * after <= 0) return 0;
    const double first = 2 * width_after + width_before, second = width_after + 2 * width_before;
    return (first + second) / (first / before + second / after);
}

// At an end: that of the parabola through three points, held back where it would overshoot.
double end_slope(double width, double next_width, double secant, double next_secant) {
    const double slope = ((2 * width + next_width) * secant - width * next_secant) / (width + next_width);
    if (slope * secant <= 0) return 0;
    return secant * next_secant <= 0 && std::abs(slope) > std::abs(3 * secant) ? 3 * secant : slope;
}

}  // namespace

std::vector<Curve::Piece> Curve::pieces() const {
    const std::size_t count = points.size();
    std::vector<double> width, secant, slope(count, 0);
    for (std::size_t i = 0; i + 1 < count; ++i) {
        width.push_back(points[i + 1].x - points[i].x);
        secant.push_back((points[i + 1].y - points[i].y) / width[i]);
    }
    if (count == 2) {
        slope.assign(2, secant[0]);
    } else {
        slope[0] = end_slope(width[0], width[1], secant[0], secant[1]);
        slope[count - 1] = end_slope(width[count - 2], width[count - 3], secant[count - 2], secant[count - 3]);
        for (std::size_t i = 1; i + 1 < count; ++i) slope[i] = inner_slope(width[i - 1], secant[i - 1], width[i], secant[i]);
    }
    std::vector<Piece> made;
    for (std::size_t i = 0; i + 1 < count; ++i)
        made.push_back({points[i].x, points[i].y, slope[i], (3 * secant[i] - 2 * slope[i] - slope[i + 1]) / width[i],
                        (slope[i] + slope[i + 1] - 2 * secant[i]) / (width[i] * width[i])});
    return made;
}

double Curve::at(double x) const {
    if (x <= points.front().x) return points.front().y;
    if (x >= points.back().x) return points.back().y;
    const std::vector<Piece> all = pieces();
    const auto after = std::ranges::upper_bound(all, x, {}, &Piece::from);
    const Piece& piece = *(after - 1);
    const double t = x - piece.from;
    return ((piece.c3 * t + piece.c2) * t + piece.c1) * t + piece.c0;
}

std::optional<Curve> parse_curve(const std::string& text) {
    const QStringList listed = QString::fromStdString(text).simplified().split(' ', Qt::SkipEmptyParts);
    if (listed.isEmpty()) return Curve();
    Curve curve{.points = {}};
    for (const QString& word : listed) {
        const QStringList pair = word.split(':');
        bool x_read = false, y_read = false;
        if (pair.size() != 2) return std::nullopt;
        curve.points.push_back({pair[0].toDouble(&x_read), pair[1].toDouble(&y_read)});
        if (!x_read || !y_read) return std::nullopt;
    }
    return well_formed(curve) ? std::optional(curve) : std::nullopt;
}

std::string curve_expectation(const std::string& got) {
    return gpu::format("expected {} to {} points from 0 to 1 whose x ascends, as '{}' or '0:0 0.5:0.6 1:1', got '{}'", Curve::least_points, Curve::most_points, straight_curve, got);
}

std::string curve_text(const Curve& curve) {
    QStringList words;
    for (const auto& [x, y] : curve.points) words.append(short_text(x) + ':' + short_text(y));
    return words.join(' ').toStdString();
}

}  // namespace nodes
