// Masks as vectors: strokes in the order in which they were drawn, kept as JSON text and rasterised on the host, always
// to the same values.
//
// A pixel (x, y) covers x..x+1, y..y+1; its centre is (x + 0.5, y + 0.5). Each stroke has a coverage c in 0..1 at every
// pixel and moves the mask m, which begins at 0, towards a value v, 1 or (where it erases) 0:
//
//     m <- m + (v - m) * strength * c
//
//     brush, eraser   d is the distance of the pixel's centre from the line through the points (a dot for one point),
//                     w = max(1, radius * (1 - hardness)), t = clamp((radius + 0.5 - d) / w, 0, 1), c = t * t * (3 - 2 * t).
//                     A stroke that crosses itself counts once.
//     lasso           the area inside the closed polygon by the even-odd rule, on 4 lines a pixel row, exact along each
//     rectangle       the part of the pixel inside the rectangle of two opposite corners, exact
//     ellipse         as lasso, of 256 points on the ellipse in that rectangle
//     gradient        0 at the first point and 1 at the second, linear between, and the same on lines across
//     fill            1 on the pixel with the point and all that are linked to it, by their sides, through pixels whose
//                     value differs from v by more than 0.1; without a point everywhere
//
// JSON: a list of objects {"tool": "brush", "points": [x, y, x, y, ...], "radius": 24, "hardness": 0.8, "strength": 1,
// "erase": false}. `radius` and `hardness` belong to brush and eraser; eraser always erases, the others where "erase" is
// true. Defaults: radius 16, hardness 1, strength 1, erase false.
#pragma once

#include <QByteArray>
#include <QRect>
#include <functional>
#include <string_view>
#include <vector>

namespace nodes {

enum class StrokeTool { Brush, Eraser, Lasso, Rectangle, Ellipse, Gradient, Fill };

const char* to_string(StrokeTool tool);

struct StrokePoint {
    double x = 0, y = 0;
    friend bool operator==(const StrokePoint&, const StrokePoint&) = default;
};

struct Stroke {
    StrokeTool tool = StrokeTool::Brush;
    std::vector<StrokePoint> points;
    double radius = 16;    // 0.5 .. 4096 px
    double hardness = 1;   // 0 .. 1
    double strength = 1;   // 0 .. 1
    bool erase = false;
    friend bool operator==(const Stroke&, const Stroke&) = default;
};

// Most of them in a text, so that a file from a stranger stays within bounds.
inline constexpr std::size_t max_strokes = 10000;
inline constexpr std::size_t max_stroke_points = 500000;  // of all strokes
inline constexpr double max_stroke_coordinate = 100000;

// Throws Error{InvalidGraph} naming the stroke and what was expected. Empty text is no strokes.
std::vector<Stroke> parse_strokes(const QByteArray& json);
// What parse_strokes reads, a line for each stroke; coordinates are rounded to hundredths of a pixel. Empty for no strokes.
QByteArray strokes_json(const std::vector<Stroke>& strokes);

// Row-major values in 0..1.
struct MaskPixels {
    MaskPixels(int width, int height)
        : width(width), height(height), values(static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {}

    int width, height;
    std::vector<float> values;

    float& at(int x, int y) { return values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)]; }
    float at(int x, int y) const { return values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)]; }
};

// Draws one more stroke and returns the part of the mask that it may have changed: within `clip`, which fills do not keep
// to; an empty one is the whole mask. `poll` is called between parts of long work; it may throw.
QRect draw_stroke(MaskPixels& mask, const Stroke& stroke, const QRect& clip = {}, const std::function<void()>& poll = {});

// Where draw_stroke() may change a mask of this size.
QRect stroke_bounds(const Stroke& stroke, int width, int height);

MaskPixels draw_strokes(const std::vector<Stroke>& strokes, int width, int height, const std::function<void()>& poll = {});

}  // namespace nodes
