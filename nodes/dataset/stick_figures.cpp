#include "nodes/dataset/stick_figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numbers>

#include "gpu/base/format.h"
#include "gpu/base/philox.h"

namespace nodes {
namespace {

constexpr std::uint32_t figure_stream = 0x66696775;

// Numbers in [0, 1) that belong to one scene.
class Draws {
public:
    Draws(std::uint64_t seed, std::int64_t number) : seed_(seed), number_(static_cast<std::uint64_t>(number)) {}
    double operator()() {
        if (at_ % 4 == 0)
            words_ = gpu::philox({static_cast<std::uint32_t>(number_), static_cast<std::uint32_t>(number_ >> 32), at_ / 4, figure_stream}, seed_);
        return words_[at_++ % 4] * 0x1p-32;
    }
    double between(double low, double high) { return low + (high - low) * (*this)(); }
    std::size_t pick(std::size_t count) { return std::min(count - 1, static_cast<std::size_t>((*this)() * static_cast<double>(count))); }

private:
    std::uint64_t seed_, number_;
    std::uint32_t at_ = 0;
    gpu::PhiloxCounter words_{};
};

struct Named {
    const char* name;
    double red, green, blue;
};
constexpr Named colors[] = {{"red", 0.86, 0.16, 0.16}, {"orange", 0.95, 0.55, 0.1}, {"yellow", 0.95, 0.85, 0.2}, {"green", 0.2, 0.65, 0.25},
                            {"blue", 0.15, 0.35, 0.85}, {"purple", 0.55, 0.25, 0.7}, {"white", 0.97, 0.97, 0.97}, {"black", 0.12, 0.12, 0.14}};
constexpr Named skies[] = {{"", 0.75, 0.88, 0.98}, {"", 0.98, 0.9, 0.78}, {"", 0.88, 0.88, 0.9}, {"", 0.85, 0.95, 0.85}};
constexpr Named skins[] = {{"", 0.98, 0.84, 0.72}, {"", 0.85, 0.64, 0.48}, {"", 0.55, 0.38, 0.28}};

// Angles of limbs in degrees from straight down, positive to the picture's right: upper and lower arm, upper and lower leg, the figure's right
// side (the picture's left) first.
struct Action {
    const char* name;
    std::array<double, 4> arms, legs;
    double lean = 0;        // of the trunk
    double height = 0;      // of the feet above the ground, in heights of the figure
    bool profile = false;   // seen from the side, facing the picture's right: mirrored for the other way
};
constexpr Action actions[] = {
    {"standing", {-14, -8, 14, 8}, {-6, -4, 6, 4}},
    {"waving with the right hand", {-135, -195, 14, 8}, {-6, -4, 6, 4}},
    {"waving with the left hand", {-14, -8, 135, 195}, {-6, -4, 6, 4}},
    {"with both arms up", {-155, -170, 155, 170}, {-7, -5, 7, 5}},
    {"with arms spread wide", {-90, -90, 90, 90}, {-10, -8, 10, 8}},
    {"with hands on the hips", {-50, 42, 50, -42}, {-9, -6, 9, 6}},
    {"jumping", {-130, -150, 130, 150}, {-45, 20, 45, -20}, 0, 0.12},
    {"doing a star jump", {-125, -125, 125, 125}, {-35, -35, 35, 35}, 0, 0.1},
    {"squatting", {-60, 20, 60, -20}, {-75, 25, 75, -25}},
    {"walking", {-28, -5, 28, 45}, {28, 8, -24, -36}, 2, 0, true},
    {"running", {-55, 30, 45, 125}, {60, -20, -28, -88}, 10, 0.04, true},
    {"kicking", {-40, -15, 50, 70}, {75, 68, -8, -12}, -8, 0, true},
};

}  // namespace

StickFigure::StickFigure(std::uint64_t seed, std::int64_t number) {
    Draws draw(seed, number);
    const Action& action = actions[draw.pick(std::size(actions))];
    const bool mirrored = action.profile && draw() < 0.5;
    const Named &shirt = colors[draw.pick(std::size(colors))], &trousers = colors[draw.pick(std::size(colors))], &sky = skies[draw.pick(std::size(skies))],
                &skin = skins[draw.pick(std::size(skins))];
    const char* way = action.profile ? mirrored ? " to the left" : " to the right" : "";
    caption_ = gpu::format("a person in a{} {} shirt and {} trousers, {}{}", shirt.name[0] == 'o' ? "n" : "", shirt.name, trousers.name, action.name, way);

    const auto color = [](const Named& c) { return Color{c.red, c.green, c.blue}; };
    sky_ = color(sky), ground_ = {sky.red * 0.72, sky.green * 0.72, sky.blue * 0.66};
    const double size = draw.between(0.6, 0.8), centre = draw.between(0.42, 0.58), sign = mirrored ? -1 : 1;
    horizon_ = draw.between(0.72, 0.82);
    const auto jitter = [&] { return draw.between(-8, 8); };
    const auto step = [&](Point from, double degrees, double length) {
        const double angle = degrees * std::numbers::pi / 180;
        return Point{from.x + sign * std::sin(angle) * length * size, from.y + std::cos(angle) * length * size};
    };

    // Built around the middle of the hips, then put on the ground.
    const double shoulder = action.profile ? 0.03 : 0.11, hip = action.profile ? 0.015 : 0.055, lean = action.lean + 0.4 * jitter();
    const Point middle{centre, 0}, neck = step(middle, 180 - lean, 0.31), head = step(neck, 180 - lean, 0.115);
    std::array<Point, 18> p;
    p[1] = neck;
    const Point across = step({0, 0}, 90 - lean, 1);
    const auto aside = [&](Point from, double by) { return Point{from.x + across.x * by, from.y + across.y * by}; };
    for (const int side : {0, 1}) {      // the figure's right side has the smaller x where it faces us
        const double out = side == 0 ? -1 : 1;
        const auto s = static_cast<std::size_t>(side);
        const std::size_t arm = side == 0 ? 2 : 5, leg = side == 0 ? 8 : 11;
        p[arm] = aside(neck, out * shoulder);
        p[arm + 1] = step(p[arm], action.arms[2 * s] + jitter(), 0.16);
        p[arm + 2] = step(p[arm + 1], action.arms[2 * s + 1] + jitter(), 0.15);
        p[leg] = aside(middle, out * hip);
        p[leg + 1] = step(p[leg], action.legs[2 * s] + 0.5 * jitter(), 0.22);
        p[leg + 2] = step(p[leg + 1], action.legs[2 * s + 1] + 0.5 * jitter(), 0.22);
    }
    const double turned = action.profile ? 0.045 : 0;      // of the face, to where it looks
    p[0] = aside(head, turned);
    p[14] = {aside(head, turned - 0.026).x, head.y - 0.02 * size}, p[15] = {aside(head, turned + 0.026).x, head.y - 0.02 * size};
    p[16] = aside(head, action.profile ? -0.01 : -0.06), p[17] = aside(head, action.profile ? 0.0 : 0.06);

    const double ground = std::min(0.95, horizon_ + draw.between(0.08, 0.14)), lowest = std::max(p[10].y, p[13].y), up = ground - action.height * size - lowest;
    const auto put = [&](Point at) { return Point{at.x, at.y + up}; };
    person_.skeleton = Skeleton::Coco18;
    for (Point& one : p) {
        one = put(one);
        person_.body.push_back({one.x, one.y, 1});
    }

    const double r = size;
    const auto limb = [&](std::size_t a, std::size_t b, double from, double to, const Color& c) { shapes_.push_back({p[a], p[b], from * r, to * r, c}); };
    const auto darker = [](const Color& c, double f) { return Color{c.red * f, c.green * f, c.blue * f}; };
    const auto side_of = [&](bool left, double shade) {
        const std::size_t arm = left ? 5 : 2, leg = left ? 11 : 8;
        limb(leg, leg + 1, 0.048, 0.04, darker(color(trousers), shade));
        limb(leg + 1, leg + 2, 0.04, 0.03, darker(color(trousers), shade));
        shapes_.push_back({p[leg + 2], {p[leg + 2].x + (action.profile ? sign * 0.05 : (left ? 0.02 : -0.02)) * r, p[leg + 2].y + 0.012 * r}, 0.028 * r, 0.022 * r, {0.2, 0.16, 0.14}});
        limb(arm, arm + 1, 0.038, 0.033, darker(color(shirt), shade * 0.93));
        limb(arm + 1, arm + 2, 0.03, 0.026, darker(color(skin), shade));
    };
    side_of(true, action.profile ? 0.8 : 1);      // what is behind in profile
    if (!action.profile) side_of(false, 1);
    shapes_.push_back({{p[1].x, p[1].y + 0.04 * r}, put(middle), (action.profile ? 0.075 : 0.1) * r, 0.075 * r, color(shirt)});
    shapes_.push_back({p[1], put(head), 0.03 * r, 0.03 * r, darker(color(skin), 0.9)});
    if (action.profile) side_of(false, 1);
    shapes_.push_back({put({head.x, head.y - 0.02 * r}), put({head.x, head.y - 0.02 * r}), 0.078 * r, 0.078 * r, {0.25, 0.17, 0.12}});
    shapes_.push_back({put({head.x + sign * turned * 0.4 * r, head.y + 0.008 * r}), put({head.x + sign * turned * 0.4 * r, head.y + 0.008 * r}), 0.066 * r, 0.066 * r, color(skin)});
    for (const std::size_t eye : {14, 15}) shapes_.push_back({p[eye], p[eye], 0.011 * r, 0.011 * r, {0.1, 0.1, 0.12}});
}

std::string StickFigure::caption() const { return caption_; }
Person StickFigure::person() const { return person_; }
Pixels StickFigure::draw(int side) const { return painted(side, false); }
Pixels StickFigure::mask(int side) const { return painted(side, true); }

Pixels StickFigure::painted(int side, bool mask) const {
    Pixels made{side, side, std::vector<std::uint8_t>(static_cast<std::size_t>(4 * side * side), 255)};
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x) {
            const double px = (x + 0.5) / side, py = (y + 0.5) / side;
            const double below = std::clamp((py - horizon_) * side + 0.5, 0.0, 1.0);
            Color c = mask ? Color{0, 0, 0}
                           : Color{sky_.red + below * (ground_.red - sky_.red), sky_.green + below * (ground_.green - sky_.green), sky_.blue + below * (ground_.blue - sky_.blue)};
            for (const Shape& s : shapes_) {
                // Distance from the segment, less a radius that changes along it.
                const double dx = s.b.x - s.a.x, dy = s.b.y - s.a.y, length = dx * dx + dy * dy;
                const double t = length > 0 ? std::clamp(((px - s.a.x) * dx + (py - s.a.y) * dy) / length, 0.0, 1.0) : 0;
                const double off = std::hypot(px - s.a.x - t * dx, py - s.a.y - t * dy) - (s.radius_a + t * (s.radius_b - s.radius_a));
                const double share = std::clamp(0.5 - off * side, 0.0, 1.0);
                if (share <= 0) continue;
                const Color paint = mask ? Color{1, 1, 1} : s.color;
                c = {c.red + share * (paint.red - c.red), c.green + share * (paint.green - c.green), c.blue + share * (paint.blue - c.blue)};
            }
            std::uint8_t* at = made.rgba.data() + 4 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(side) + static_cast<std::size_t>(x));
            at[0] = static_cast<std::uint8_t>(std::lround(c.red * 255)), at[1] = static_cast<std::uint8_t>(std::lround(c.green * 255)), at[2] = static_cast<std::uint8_t>(std::lround(c.blue * 255));
        }
    return made;
}

}  // namespace nodes
