// Flat shapes on an RGB canvas without smoothing, as OpenCV draws them: the pictures that control networks for poses were trained with.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace nodes {

struct Rgb {
    double red = 0, green = 0, blue = 0;      // 0..1
};

struct Point {
    double x = 0, y = 0;      // pixel centres are whole numbers
};

class Canvas {
public:
    Canvas(int width, int height) : width_(width), height_(height), pixels_(static_cast<std::size_t>(width) * height * 3) {}

    const std::vector<float>& pixels() const { return pixels_; }      // [H, W, 3]

    // Pixels up to `radius` from a centre.
    void disc(int x, int y, int radius, const Rgb& color) {
        for (int dy = -radius; dy <= radius; ++dy) {
            const int half = static_cast<int>(std::sqrt(double(radius * radius - dy * dy)));
            span(y + dy, x - half, x + half, color);
        }
    }

    // The area of a convex polygon with its outline.
    void convex(const std::vector<Point>& corners, const Rgb& color) {
        if (corners.empty()) return;
        double top = corners[0].y, bottom = top;
        for (const Point& p : corners) top = std::min(top, p.y), bottom = std::max(bottom, p.y);
        const int first = std::max(0, static_cast<int>(std::lround(top))), last = std::min(height_ - 1, static_cast<int>(std::lround(bottom)));
        if (last < first) return;
        std::vector<std::pair<int, int>> rows(static_cast<std::size_t>(last - first + 1), {width_, -1});
        const auto reach = [&](double x, double y) {
            const long row = std::lround(y) - first;
            if (row < 0 || row > last - first) return;
            const int column = static_cast<int>(std::lround(std::clamp(x, -1.0, double(width_))));
            auto& [low, high] = rows[static_cast<std::size_t>(row)];
            low = std::min(low, column), high = std::max(high, column);
        };
        // Each side pixel by pixel along its longer direction, at whole numbers.
        for (std::size_t i = 0; i < corners.size(); ++i) {
            const Point &a = corners[i], &b = corners[(i + 1) % corners.size()];
            reach(a.x, a.y);
            reach(b.x, b.y);
            const double dx = b.x - a.x, dy = b.y - a.y;
            if (std::abs(dx) > std::abs(dy)) {
                const double from = std::max(-1.0, std::ceil(std::min(a.x, b.x))), to = std::min(double(width_), std::max(a.x, b.x));
                for (double x = from; x <= to; ++x) reach(x, a.y + (x - a.x) * dy / dx);
            } else if (dy != 0) {
                const double from = std::max(double(first), std::ceil(std::min(a.y, b.y))), to = std::min(double(last), std::max(a.y, b.y));
                for (double y = from; y <= to; ++y) reach(a.x + (y - a.y) * dx / dy, y);
            }
        }
        for (int y = first; y <= last; ++y) span(y, rows[static_cast<std::size_t>(y - first)].first, rows[static_cast<std::size_t>(y - first)].second, color);
    }

    // Half axes `along` and `across` the direction of `degrees` from the x axis (downwards), by its points at each degree.
    void ellipse(int x, int y, int along, int across, int degrees, const Rgb& color) {
        const double turn = degrees * std::numbers::pi / 180;
        std::vector<Point> corners;
        for (int i = 0; i < 360; ++i) {
            const double t = i * std::numbers::pi / 180, u = along * std::cos(t), v = across * std::sin(t);
            corners.push_back({std::round(x + u * std::cos(turn) - v * std::sin(turn)), std::round(y + u * std::sin(turn) + v * std::cos(turn))});
        }
        convex(corners, color);
    }

    // A line with round ends.
    void line(int x1, int y1, int x2, int y2, int thickness, const Rgb& color) {
        const double dx = x2 - x1, dy = y2 - y1, length = std::hypot(dx, dy);
        if (length > 0) {
            const double nx = dy / length * thickness / 2, ny = -dx / length * thickness / 2;
            convex({{x1 + nx, y1 + ny}, {x1 - nx, y1 - ny}, {x2 - nx, y2 - ny}, {x2 + nx, y2 + ny}}, color);
        }
        disc(x1, y1, thickness / 2, color);
        disc(x2, y2, thickness / 2, color);
    }

private:
    void span(int y, int from, int to, const Rgb& color) {
        if (y < 0 || y >= height_) return;
        for (int x = std::max(from, 0); x <= std::min(to, width_ - 1); ++x) {
            float* const pixel = pixels_.data() + (static_cast<std::size_t>(y) * width_ + x) * 3;
            pixel[0] = static_cast<float>(color.red), pixel[1] = static_cast<float>(color.green), pixel[2] = static_cast<float>(color.blue);
        }
    }

    int width_, height_;
    std::vector<float> pixels_;
};

}  // namespace nodes
