#include "nodes/types/strokes.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "gpu/base/error.h"
#include "gpu/base/format.h"
#include "nodes/core/nearest.h"

namespace nodes {
namespace {

constexpr std::array<const char*, 7> tool_names{"brush", "eraser", "lasso", "rectangle", "ellipse", "gradient", "fill"};
constexpr double fill_tolerance = 0.1;
constexpr int ellipse_corners = 256;
constexpr int lines_a_row = 4;

template <typename... Args>
[[noreturn]] void bad(std::string_view text, const Args&... args) {
    throw gpu::Error(gpu::ErrorCode::InvalidGraph, "strokes: " + gpu::format(text, args...));
}

double number(const QJsonObject& object, const char* key, double initial, double min, double max, std::size_t index) {
    const QJsonValue value = object[QLatin1String(key)];
    if (value.isUndefined()) return initial;
    if (!value.isDouble() || !(value.toDouble() >= min && value.toDouble() <= max))
        bad("stroke {}: expected {} of {} to {}, got {}", index, key, min, max,
            value.isDouble() ? gpu::format("{}", value.toDouble()) : "no number");
    return value.toDouble();
}

StrokeTool tool_of(const QJsonObject& object, std::size_t index) {
    const std::string name = object[QStringLiteral("tool")].toString().toStdString();
    for (std::size_t i = 0; i < tool_names.size(); ++i)
        if (name == tool_names[i]) return static_cast<StrokeTool>(i);
    const std::string near = nearest(name, {tool_names.begin(), tool_names.end()});
    bad("stroke {}: expected a tool, one of brush, eraser, lasso, rectangle, ellipse, gradient, fill, got '{}'{}", index, name,
        near.empty() ? "" : "; did you mean '" + near + "'?");
}

std::vector<StrokePoint> points_of(const QJsonObject& object, std::size_t index) {
    const QJsonValue value = object[QStringLiteral("points")];
    if (value.isUndefined()) return {};
    const QJsonArray list = value.toArray();
    if (!value.isArray() || list.size() % 2)
        bad("stroke {}: expected points as a list x, y, x, y, ..., got {}", index,
            value.isArray() ? gpu::format("{} numbers", list.size()) : "no list");
    std::vector<StrokePoint> points;
    points.reserve(static_cast<std::size_t>(list.size() / 2));
    for (qsizetype i = 0; i < list.size(); i += 2) {
        const QJsonValue x = list[i], y = list[i + 1];
        if (!x.isDouble() || !y.isDouble() || std::abs(x.toDouble()) > max_stroke_coordinate || std::abs(y.toDouble()) > max_stroke_coordinate)
            bad("stroke {}: expected coordinates of at most {} px for point {}", index, max_stroke_coordinate, i / 2);
        points.push_back({x.toDouble(), y.toDouble()});
    }
    return points;
}

// Least and most points that a tool works on.
std::pair<std::size_t, std::size_t> point_count(StrokeTool tool) {
    switch (tool) {
        case StrokeTool::Brush:
        case StrokeTool::Eraser: return {1, max_stroke_points};
        case StrokeTool::Lasso: return {3, max_stroke_points};
        case StrokeTool::Rectangle:
        case StrokeTool::Ellipse:
        case StrokeTool::Gradient: return {2, 2};
        case StrokeTool::Fill: break;
    }
    return {0, 1};
}

Stroke read_stroke(const QJsonValue& value, std::size_t index) {
    if (!value.isObject()) bad("stroke {}: expected an object", index);
    const QJsonObject object = value.toObject();
    Stroke stroke{.tool = tool_of(object, index), .points = points_of(object, index)};
    const auto [least, most] = point_count(stroke.tool);
    if (stroke.points.size() < least || stroke.points.size() > most)
        bad("stroke {}: expected {} points of a {}, got {}", index, least == most ? gpu::format("{}", least) : gpu::format("{} to {}", least, most),
            to_string(stroke.tool), stroke.points.size());
    stroke.radius = number(object, "radius", 16, 0.5, 4096, index);
    stroke.hardness = number(object, "hardness", 1, 0, 1, index);
    stroke.strength = number(object, "strength", 1, 0, 1, index);
    const QJsonValue erase = object[QStringLiteral("erase")];
    if (!erase.isUndefined() && !erase.isBool()) bad("stroke {}: expected erase as true or false", index);
    stroke.erase = erase.toBool();
    return stroke;
}

double hundredths(double value) { return std::round(value * 100) / 100; }

// Of a box in pixel coordinates, all pixels that it touches.
QRect touched(double left, double top, double right, double bottom, int width, int height) {
    const auto low = [](double v, int end) { return static_cast<int>(std::clamp(std::floor(v), 0.0, double(end))); };
    const auto high = [](double v, int end) { return static_cast<int>(std::clamp(std::ceil(v), 0.0, double(end))); };
    const int x = low(left, width), y = low(top, height);
    return {x, y, high(right, width) - x, high(bottom, height) - y};
}

QRect bounds_of_points(const std::vector<StrokePoint>& points, double margin, int width, int height) {
    double left = points[0].x, right = left, top = points[0].y, bottom = top;
    for (const StrokePoint& p : points) {
        left = std::min(left, p.x), right = std::max(right, p.x);
        top = std::min(top, p.y), bottom = std::max(bottom, p.y);
    }
    return touched(left - margin, top - margin, right + margin, bottom + margin, width, height);
}

void poll_now(const std::function<void()>& poll) {
    if (poll) poll();
}

// Coverage of a part of the mask.
struct Coverage {
    explicit Coverage(QRect area) : area(area), values(static_cast<std::size_t>(area.width()) * static_cast<std::size_t>(area.height())) {}

    float* row(int y) { return values.data() + static_cast<std::size_t>(y - area.top()) * static_cast<std::size_t>(area.width()); }

    QRect area;
    std::vector<float> values;
};

// The least squared distance of each pixel's centre from the line, where the brush reaches; the rest stays far away.
void brush(Coverage& coverage, const Stroke& stroke, const std::function<void()>& poll) {
    const double reach = stroke.radius + 0.5;
    const float far = static_cast<float>(reach * reach);
    std::ranges::fill(coverage.values, far);
    const std::size_t segments = std::max<std::size_t>(1, stroke.points.size() - 1);
    for (std::size_t i = 0; i < segments; ++i) {
        if (i % 64 == 0) poll_now(poll);
        const StrokePoint a = stroke.points[i], b = stroke.points[std::min(i + 1, stroke.points.size() - 1)];
        const double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
        const QRect part = touched(std::min(a.x, b.x) - reach, std::min(a.y, b.y) - reach, std::max(a.x, b.x) + reach,
                                   std::max(a.y, b.y) + reach, coverage.area.right() + 1, coverage.area.bottom() + 1) & coverage.area;
        for (int y = part.top(); y <= part.bottom(); ++y) {
            float* row = coverage.row(y) - coverage.area.left();
            const double py = y + 0.5 - a.y;
            for (int x = part.left(); x <= part.right(); ++x) {
                const double px = x + 0.5 - a.x;
                const double t = length > 0 ? std::clamp((px * dx + py * dy) / length, 0.0, 1.0) : 0;
                const double ex = px - t * dx, ey = py - t * dy;
                row[x] = std::min(row[x], static_cast<float>(ex * ex + ey * ey));
            }
        }
    }
    poll_now(poll);
    const double edge = std::max(1.0, stroke.radius * (1 - stroke.hardness));
    for (float& value : coverage.values) {
        const double t = value >= far ? 0 : std::clamp((reach - std::sqrt(double(value))) / edge, 0.0, 1.0);
        value = static_cast<float>(t * t * (3 - 2 * t));
    }
}

// Adds the part from..to of a line of pixels.
void add_span(float* row, double from, double to, int width, float weight) {
    from = std::clamp(from, 0.0, double(width)), to = std::clamp(to, 0.0, double(width));
    if (to <= from) return;
    const int first = static_cast<int>(from), last = std::min(static_cast<int>(to), width - 1);
    if (first >= last) {
        row[std::min(first, width - 1)] += static_cast<float>(to - from) * weight;
        return;
    }
    row[first] += static_cast<float>(first + 1 - from) * weight;
    for (int x = first + 1; x < last; ++x) row[x] += weight;
    row[last] += static_cast<float>(to - last) * weight;
}

void polygon(Coverage& coverage, const std::vector<StrokePoint>& points, const std::function<void()>& poll) {
    std::vector<double> crossings;
    for (int y = coverage.area.top(); y <= coverage.area.bottom(); ++y) {
        if (y % 16 == 0) poll_now(poll);
        for (int line = 0; line < lines_a_row; ++line) {
            const double at = y + (line + 0.5) / lines_a_row;
            crossings.clear();
            for (std::size_t i = 0; i < points.size(); ++i) {
                const StrokePoint &a = points[i], &b = points[(i + 1) % points.size()];
                if ((a.y <= at) != (b.y <= at)) crossings.push_back(a.x + (at - a.y) * (b.x - a.x) / (b.y - a.y) - coverage.area.left());
            }
            std::ranges::sort(crossings);
            for (std::size_t i = 0; i + 1 < crossings.size(); i += 2)
                add_span(coverage.row(y), crossings[i], crossings[i + 1], coverage.area.width(), 1.0f / lines_a_row);
        }
    }
    for (float& value : coverage.values) value = std::min(value, 1.0f);
}

std::vector<StrokePoint> ellipse_points(const StrokePoint& a, const StrokePoint& b) {
    std::vector<StrokePoint> points;
    for (int i = 0; i < ellipse_corners; ++i) {
        const double turn = 2 * std::numbers::pi * i / ellipse_corners;
        points.push_back({(a.x + b.x) / 2 + std::abs(b.x - a.x) / 2 * std::cos(turn), (a.y + b.y) / 2 + std::abs(b.y - a.y) / 2 * std::sin(turn)});
    }
    return points;
}

void rectangle(Coverage& coverage, const StrokePoint& a, const StrokePoint& b) {
    const auto share = [](int at, double from, double to) { return std::max(0.0, std::min(at + 1.0, to) - std::max(double(at), from)); };
    for (int y = coverage.area.top(); y <= coverage.area.bottom(); ++y) {
        const double high = share(y, std::min(a.y, b.y), std::max(a.y, b.y));
        for (int x = coverage.area.left(); x <= coverage.area.right(); ++x)
            coverage.row(y)[x - coverage.area.left()] = static_cast<float>(high * share(x, std::min(a.x, b.x), std::max(a.x, b.x)));
    }
}

void gradient(Coverage& coverage, const StrokePoint& a, const StrokePoint& b) {
    const double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    for (int y = coverage.area.top(); y <= coverage.area.bottom(); ++y)
        for (int x = coverage.area.left(); x <= coverage.area.right(); ++x) {
            const double along = (x + 0.5 - a.x) * dx + (y + 0.5 - a.y) * dy;
            coverage.row(y)[x - coverage.area.left()] = static_cast<float>(length > 0 ? std::clamp(along / length, 0.0, 1.0) : 0.0);
        }
}

void flood(Coverage& coverage, const MaskPixels& mask, const Stroke& stroke, float target, const std::function<void()>& poll) {
    if (stroke.points.empty()) {
        std::ranges::fill(coverage.values, 1.0f);
        return;
    }
    const StrokePoint at = stroke.points[0];
    if (!(at.x >= 0 && at.y >= 0 && at.x < mask.width && at.y < mask.height)) return;
    const auto open = [&](int x, int y) {
        return coverage.row(y)[x] == 0 && std::abs(mask.at(x, y) - target) > fill_tolerance;
    };
    // Row spans: each is filled whole, and what touches it above and below is looked at later.
    std::vector<std::pair<int, int>> seeds;
    const int x0 = static_cast<int>(at.x), y0 = static_cast<int>(at.y);
    if (open(x0, y0)) seeds.emplace_back(x0, y0);
    std::size_t rows = 0;
    while (!seeds.empty()) {
        const auto [x, y] = seeds.back();
        seeds.pop_back();
        if (!open(x, y)) continue;
        if (++rows % 1024 == 0) poll_now(poll);
        int from = x, to = x;
        while (from > 0 && open(from - 1, y)) --from;
        while (to + 1 < mask.width && open(to + 1, y)) ++to;
        for (int i = from; i <= to; ++i) coverage.row(y)[i] = 1;
        for (const int beside : {y - 1, y + 1}) {
            if (beside < 0 || beside >= mask.height) continue;
            for (int i = from; i <= to; ++i)
                if (open(i, beside) && (i == from || !open(i - 1, beside))) seeds.emplace_back(i, beside);
        }
    }
}

}  // namespace

const char* to_string(StrokeTool tool) { return tool_names[static_cast<std::size_t>(tool)]; }

std::vector<Stroke> parse_strokes(const QByteArray& json) {
    if (json.trimmed().isEmpty()) return {};
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(json, &error);
    if (error.error != QJsonParseError::NoError)
        bad("expected JSON, got an error at byte {}: {}", error.offset, error.errorString().toStdString());
    if (!document.isArray()) bad("expected a list of strokes, got an object");
    const QJsonArray list = document.array();
    if (list.size() > static_cast<qsizetype>(max_strokes)) bad("expected at most {} strokes, got {}", max_strokes, list.size());
    std::vector<Stroke> strokes;
    std::size_t points = 0;
    for (qsizetype i = 0; i < list.size(); ++i) {
        strokes.push_back(read_stroke(list[i], static_cast<std::size_t>(i)));
        points += strokes.back().points.size();
        if (points > max_stroke_points) bad("expected at most {} points, got more up to stroke {}", max_stroke_points, i);
    }
    return strokes;
}

QByteArray strokes_json(const std::vector<Stroke>& strokes) {
    QByteArray text;
    for (const Stroke& stroke : strokes) {
        QJsonArray points;
        for (const StrokePoint& p : stroke.points) {
            points.append(hundredths(p.x));
            points.append(hundredths(p.y));
        }
        QJsonObject object{{"tool", to_string(stroke.tool)}};
        if (!points.isEmpty()) object["points"] = points;
        if (stroke.tool == StrokeTool::Brush || stroke.tool == StrokeTool::Eraser) {
            object["radius"] = hundredths(stroke.radius);
            object["hardness"] = hundredths(stroke.hardness);
        }
        if (stroke.strength != 1) object["strength"] = hundredths(stroke.strength);
        if (stroke.erase) object["erase"] = true;
        text += (text.isEmpty() ? "[" : ",\n ") + QJsonDocument(object).toJson(QJsonDocument::Compact);
    }
    return text.isEmpty() ? text : text + "]";
}

QRect stroke_bounds(const Stroke& stroke, int width, int height) {
    switch (stroke.tool) {
        case StrokeTool::Brush:
        case StrokeTool::Eraser: return stroke.points.empty() ? QRect() : bounds_of_points(stroke.points, stroke.radius + 0.5, width, height);
        case StrokeTool::Lasso:
        case StrokeTool::Rectangle:
        case StrokeTool::Ellipse: return stroke.points.empty() ? QRect() : bounds_of_points(stroke.points, 0, width, height);
        case StrokeTool::Gradient:
        case StrokeTool::Fill: break;
    }
    return {0, 0, width, height};
}

QRect draw_stroke(MaskPixels& mask, const Stroke& stroke, const QRect& clip, const std::function<void()>& poll) {
    QRect area = stroke_bounds(stroke, mask.width, mask.height);
    if (!clip.isEmpty() && stroke.tool != StrokeTool::Fill) area &= clip;
    const auto [least, most] = point_count(stroke.tool);
    if (area.isEmpty() || stroke.points.size() < least || stroke.points.size() > most) return {};
    const float target = stroke.erase || stroke.tool == StrokeTool::Eraser ? 0.0f : 1.0f;
    Coverage coverage(area);
    switch (stroke.tool) {
        case StrokeTool::Brush:
        case StrokeTool::Eraser: brush(coverage, stroke, poll); break;
        case StrokeTool::Lasso: polygon(coverage, stroke.points, poll); break;
        case StrokeTool::Rectangle: rectangle(coverage, stroke.points[0], stroke.points[1]); break;
        case StrokeTool::Ellipse: polygon(coverage, ellipse_points(stroke.points[0], stroke.points[1]), poll); break;
        case StrokeTool::Gradient: gradient(coverage, stroke.points[0], stroke.points[1]); break;
        case StrokeTool::Fill: flood(coverage, mask, stroke, target, poll); break;
    }
    const float strength = static_cast<float>(stroke.strength);
    for (int y = area.top(); y <= area.bottom(); ++y) {
        const float* covered = coverage.row(y);
        float* row = &mask.at(area.left(), y);
        for (int x = 0; x < area.width(); ++x) row[x] += (target - row[x]) * strength * covered[x];
    }
    return area;
}

MaskPixels draw_strokes(const std::vector<Stroke>& strokes, int width, int height, const std::function<void()>& poll) {
    MaskPixels mask(width, height);
    for (const Stroke& stroke : strokes) {
        poll_now(poll);
        draw_stroke(mask, stroke, {}, poll);
    }
    return mask;
}

}  // namespace nodes
