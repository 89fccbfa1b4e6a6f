// Figures of capsules in clothes of a few colours who do something: scenes with captions, keypoints and masks that need no files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nodes/types/pixels.h"
#include "nodes/types/pose.h"

namespace nodes {

// A scene that seed and number decide: who, in what, doing what, where.
class StickFigure {
public:
    StickFigure(std::uint64_t seed, std::int64_t number);

    // "a person in a red shirt and blue trousers, waving with the left hand". Left is the figure's own.
    std::string caption() const;
    // In fractions of the picture; all 18 points are found.
    Person person() const;
    // A square picture, opaque.
    Pixels draw(int side) const;
    // White where the figure is.
    Pixels mask(int side) const;

private:
    struct Point {
        double x = 0, y = 0;
    };
    struct Color {
        double red, green, blue;
    };
    struct Shape {      // a capsule; a disc where both ends are one point
        Point a, b;
        double radius_a, radius_b;
        Color color;
    };
    Pixels painted(int side, bool mask) const;

    std::string caption_;
    Person person_;
    Color sky_, ground_;
    double horizon_ = 0.8;
    std::vector<Shape> shapes_;      // back to front
};

}  // namespace nodes
