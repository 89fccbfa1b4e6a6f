// Poses as pictures. "openpose": the drawing of OpenPose's COCO body, hands and face that ControlNet (arXiv:2302.05543) was trained with:
// limbs as filled ellipses at 0.6 of their colour, joints as discs over them, hands as lines of all hues, white dots for the face.
// "humansd": the drawing of HumanSD (arXiv:2304.04269): COCO's 17 points, 16 lines of width 10 in seaborn's "hls" palette.
#include <QColor>
#include <cmath>
#include <numbers>

#include "nodes/core/node.h"
#include "nodes/preprocess/canvas.h"
#include "nodes/types/image.h"
#include "nodes/types/pose.h"

namespace nodes {
namespace {

enum class Style { OpenPose, HumanSd };

struct Edge {
    int from, to;
};

// Of COCO-18, in the order in which they are drawn; the colour of limb and joint i is wheel(i).
constexpr Edge limbs[] = {{1, 2}, {1, 5}, {2, 3}, {3, 4}, {5, 6}, {6, 7}, {1, 8}, {8, 9}, {9, 10}, {1, 11}, {11, 12}, {12, 13}, {1, 0}, {0, 14},
                          {14, 16}, {0, 15}, {15, 17}};
// Of COCO-17.
constexpr Edge humansd_lines[] = {{0, 1}, {0, 2}, {1, 3}, {2, 4}, {3, 5}, {4, 6}, {5, 7}, {6, 8}, {7, 9}, {8, 10}, {5, 11}, {6, 12}, {11, 13}, {12, 14},
                                  {13, 15}, {14, 16}};

// The colours of OpenPose: 18 hues a third of a sixth of the circle apart, in whole numbers of 255.
Rgb wheel(int i) {
    const int sixth = i / 3;
    const double up = (i % 3) * 85 / 255.0, down = 1 - up;
    switch (sixth) {
        case 0: return {1, up, 0};
        case 1: return {down, 1, 0};
        case 2: return {0, 1, up};
        case 3: return {0, down, 1};
        case 4: return {up, 0, 1};
        default: return {1, 0, down};
    }
}

Rgb shaded(const Rgb& color, double factor) {
    const auto whole = [&](double v) { return std::floor(std::round(v * 255) * factor) / 255; };
    return {whole(color.red), whole(color.green), whole(color.blue)};
}

Rgb hue(double turn) {
    const QColor color = QColor::fromHsvF(static_cast<float>(turn), 1, 1);
    return {color.red() / 255.0, color.green() / 255.0, color.blue() / 255.0};
}

// seaborn's "hls" palette: even hues from 0.01 on, lightness 0.6, saturation 0.65.
Rgb humansd_color(int i) {
    const QColor color = QColor::fromHslF(static_cast<float>(0.01 + i / 16.0), 0.65f, 0.6f);
    return {std::floor(color.redF() * 255) / 255, std::floor(color.greenF() * 255) / 255, std::floor(color.blueF() * 255) / 255};
}

struct Drawing {
    Canvas canvas;
    double scale_x, scale_y;      // from the frame's units to pixels
    double threshold, size;

    bool seen(const Keypoint& point) const { return point.score > 0 && point.score >= threshold; }
    double x(const Keypoint& point) const { return point.x * scale_x; }
    double y(const Keypoint& point) const { return point.y * scale_y; }
    int column(const Keypoint& point) const { return static_cast<int>(std::floor(x(point))); }
    int row(const Keypoint& point) const { return static_cast<int>(std::floor(y(point))); }
    int pixels(double length) const { return std::max(1, static_cast<int>(std::lround(length * size))); }

    void body(const Person& person) {
        const auto points = person.coco18();
        for (int i = 0; i < static_cast<int>(std::size(limbs)); ++i) {
            const Keypoint &a = points[static_cast<std::size_t>(limbs[i].from)], &b = points[static_cast<std::size_t>(limbs[i].to)];
            if (!seen(a) || !seen(b)) continue;
            const double dx = x(a) - x(b), dy = y(a) - y(b);
            canvas.ellipse(static_cast<int>((x(a) + x(b)) / 2), static_cast<int>((y(a) + y(b)) / 2), static_cast<int>(std::hypot(dx, dy) / 2), pixels(4),
                           static_cast<int>(std::atan2(dy, dx) * 180 / std::numbers::pi), shaded(wheel(i), 0.6));
        }
        for (int i = 0; i < static_cast<int>(points.size()); ++i)
            if (const Keypoint& point = points[static_cast<std::size_t>(i)]; seen(point)) canvas.disc(column(point), row(point), pixels(4), wheel(i));
    }

    void hand(const std::vector<Keypoint>& points) {
        if (points.empty()) return;
        for (int i = 0; i < 20; ++i) {      // five fingers of four bones from the wrist
            const Keypoint &a = points[static_cast<std::size_t>(i % 4 == 0 ? 0 : i)], &b = points[static_cast<std::size_t>(i + 1)];
            if (seen(a) && seen(b)) canvas.line(column(a), row(a), column(b), row(b), pixels(2), hue(i / 20.0));
        }
        for (const Keypoint& point : points)
            if (seen(point)) canvas.disc(column(point), row(point), pixels(4), {0, 0, 1});
    }

    void face(const std::vector<Keypoint>& points) {
        for (const Keypoint& point : points)
            if (seen(point)) canvas.disc(column(point), row(point), pixels(3), {1, 1, 1});
    }

    void humansd(const Person& person) {
        const auto points = person.coco17();
        for (int i = 0; i < static_cast<int>(std::size(humansd_lines)); ++i) {
            const Keypoint &a = points[static_cast<std::size_t>(humansd_lines[i].from)], &b = points[static_cast<std::size_t>(humansd_lines[i].to)];
            if (!seen(a) || !seen(b)) continue;
            canvas.line(column(a), row(a), column(b), row(b), pixels(10), humansd_color(i));
            canvas.disc(column(a), row(a), pixels(5), humansd_color(i));
            canvas.disc(column(b), row(b), pixels(5), humansd_color(i));
        }
    }
};

struct PoseDraw final : Node {
    PoseDraw() : Node({.id = "pose.draw", .version = 1, .title = "Draw Pose", .category = "Control Pictures",
                       .help = "Draws people as coloured sticks on black, as control networks for poses know them. All skeletons are drawn alike, feet not at all."}) {}

    In<Pose>      pose     {this, "pose", "The keypoints"};
    Param<int>    width    {this, "width", "Width of the picture; 0: that of the pose", {.initial = 0, .min = 0, .max = 16384, .step = 8, .unit = "px"}};
    Param<int>    height   {this, "height", "Height of the picture; 0: that of the pose", {.initial = 0, .min = 0, .max = 16384, .step = 8, .unit = "px"}};
    Param<Style>  style    {this, "style", "Openpose: ControlNet and T2I-Adapter. Humansd: 17 points and lines in other colours, for HumanSD, without hands and face",
                            {.initial = Style::OpenPose, .names = {"openpose", "humansd"}}};
    Param<bool>   body     {this, "body", "Draws bodies", {.initial = true}};
    Param<bool>   hands    {this, "hands", "Draws hands", {.initial = true}};
    Param<bool>   face     {this, "face", "Draws faces", {.initial = true}};
    Param<double> threshold{this, "threshold", "Points with less confidence are left out", {.initial = 0.02, .min = 0, .max = 1, .step = 0.01}};
    Param<double> size     {this, "size", "Thickness of sticks and points; 1 is what networks were trained with at 512 pixels", {.initial = 1, .min = 0.1, .max = 16, .step = 0.25}};
    Out<Image>    drawn    {this, "image", "A picture of each frame, RGB"};

    void compute(Eval& ev) const override {
        const std::vector<PoseFrame>& frames = *ev[pose].frames;
        const auto [w, h] = wanted_size(ev, frames.front());
        std::vector<float> all;
        all.reserve(static_cast<std::size_t>(w) * h * 3 * frames.size());
        for (std::size_t i = 0; i < frames.size(); ++i) {
            ev.progress(static_cast<std::int64_t>(i), static_cast<std::int64_t>(frames.size()));
            const PoseFrame& frame = frames[i];
            Drawing drawing{Canvas(w, h), frame.width > 0 ? w / frame.width : 1, frame.height > 0 ? h / frame.height : 1, ev[threshold], ev[size]};
            for (const Person& person : frame.people) {
                if (ev[style] == Style::HumanSd) {
                    if (ev[body]) drawing.humansd(person);
                    continue;
                }
                if (ev[body]) drawing.body(person);
                if (ev[hands]) drawing.hand(person.left_hand), drawing.hand(person.right_hand);
                if (ev[face]) drawing.face(person.face);
            }
            all.insert(all.end(), drawing.canvas.pixels().begin(), drawing.canvas.pixels().end());
        }
        ev.set(drawn, make_image(from_interleaved(std::move(all), static_cast<std::int64_t>(frames.size()), h, w, 3)));
    }

    std::pair<int, int> wanted_size(Eval& ev, const PoseFrame& frame) const {
        int w = ev[width], h = ev[height];
        const bool known = frame.width > 1 && frame.height > 1;      // 1 x 1: fractions
        if (!known && (!w || !h))
            ev.fail(w ? height : width, "expected a width and a height, for the pose does not tell the size of its picture; got {} x {}", w, h);
        // Of one side the other follows.
        if (!w && !h) w = static_cast<int>(std::lround(frame.width)), h = static_cast<int>(std::lround(frame.height));
        if (!w) w = std::max(1, static_cast<int>(std::lround(h * frame.width / frame.height)));
        if (!h) h = std::max(1, static_cast<int>(std::lround(w * frame.height / frame.width)));
        constexpr int most = 16384;
        if (w > most || h > most) ev.fail(width, "expected a picture of at most {} x {} px, got {} x {}", most, most, w, h);
        return {w, h};
    }
};

}  // namespace

REGISTER_NODE(pose_draw, PoseDraw)

}  // namespace nodes
