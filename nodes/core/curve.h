// A curve over 0..1: points, and a smooth line through them, as a person draws it to change tones. A parameter that holds one
// is a text, the list of its points; the node type says so, and an editor offers the curve to be drawn:
//
//     struct ImageCurves final : Node, CurveEdited {
//         Param<std::string> rgb{this, "rgb", "All channels", {.initial = straight_curve}};
//         std::vector<std::string> curve_params() const override { return {"rgb"}; }
//     };
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace nodes {

struct CurvePoint {
    double x = 0, y = 0;

    friend bool operator==(const CurvePoint&, const CurvePoint&) = default;
};

// Monotone cubic interpolation (Fritsch and Carlson, "Monotone Piecewise Cubic Interpolation", 1980): between two points
// the line never leaves their heights, so that it does not swing above 1 or below 0. Level beyond the outermost points.
struct Curve {
    static constexpr int least_points = 2, most_points = 32;

    std::vector<CurvePoint> points{{0, 0}, {1, 1}};      // x ascends, all in 0..1

    double at(double x) const;
    bool identity() const { return points == Curve().points; }      // the straight line from corner to corner
    // The cubics between the points: y = ((c3 t + c2) t + c1) t + c0 of t = x - from, until the next piece.
    struct Piece {
        double from = 0, c0 = 0, c1 = 0, c2 = 0, c3 = 0;
    };
    std::vector<Piece> pieces() const;      // one less than there are points
    friend bool operator==(const Curve&, const Curve&) = default;
};

inline constexpr const char* straight_curve = "0:0 1:1";

// "0:0 0.5:0.6 1:1"; an empty text is the straight line. Nothing where the text is no curve: too few or too many points,
// beyond 0..1, x not ascending.
std::optional<Curve> parse_curve(const std::string& text);
std::string curve_expectation(const std::string& got);      // "expected 2 to 32 points ..., got ..."
std::string curve_text(const Curve& curve);      // exactly; parse_curve() reads it back

class CurveEdited {
public:
    virtual ~CurveEdited() = default;
    virtual std::vector<std::string> curve_params() const = 0;
};

}  // namespace nodes
