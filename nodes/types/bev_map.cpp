#include "nodes/types/bev_map.h"

#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/run/evaluate.h"
#include "nodes/types/street_picture.h"

namespace nodes {
namespace {

// In cells, the middle of cell (row, column) at (row + 0.5, column + 0.5).
void fill_area(float* channel, int cells, const std::vector<Point2>& corners) {
    std::vector<double> crossings;
    for (int row = 0; row < cells; ++row) {
        const double x = row + 0.5;
        crossings.clear();
        for (std::size_t i = 0; i < corners.size(); ++i) {
            const Point2 &a = corners[i], &b = corners[(i + 1) % corners.size()];
            if ((a.x <= x) != (b.x <= x)) crossings.push_back(a.y + (x - a.x) * (b.y - a.y) / (b.x - a.x));
        }
        std::ranges::sort(crossings);
        for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) {
            const int from = static_cast<int>(std::clamp(std::ceil(crossings[i] - 0.5), 0.0, double(cells)));
            const int to = static_cast<int>(std::clamp(std::ceil(crossings[i + 1] - 0.5), 0.0, double(cells)));
            std::fill(channel + row * cells + from, channel + row * cells + std::max(from, to), 1.0f);
        }
    }
}

void draw_line(float* channel, int cells, const Point2& a, const Point2& b, double reach) {
    const auto bound = [&](double value) { return static_cast<int>(std::clamp(std::floor(value), 0.0, double(cells - 1))); };
    const double dx = b.x - a.x, dy = b.y - a.y, square = dx * dx + dy * dy;
    for (int row = bound(std::min(a.x, b.x) - reach); row <= bound(std::max(a.x, b.x) + reach); ++row)
        for (int column = bound(std::min(a.y, b.y) - reach); column <= bound(std::max(a.y, b.y) + reach); ++column) {
            const double x = row + 0.5 - a.x, y = column + 0.5 - a.y;
            const double along = square > 0 ? std::clamp((x * dx + y * dy) / square, 0.0, 1.0) : 0;
            if (std::hypot(x - along * dx, y - along * dy) <= reach + 1e-9) channel[row * cells + column] = 1;
        }
}

}  // namespace

std::vector<float> rasterised(const Lanes& lanes, double range, int cells, double line) {
    const std::size_t area = static_cast<std::size_t>(cells) * static_cast<std::size_t>(cells);
    std::vector<float> map(lane_classes().size() * area);
    const double scale = cells / (2 * range);
    for (const Lane& lane : *lanes.list) {
        float* channel = map.data() + lane.lane_class * area;
        std::vector<Point2> points = lane.is_line() ? lane.points : lane.outline(0);
        for (Point2& p : points) p = {(p.x + range) * scale, (p.y + range) * scale};
        if (!lane.is_line()) fill_area(channel, cells, points);
        for (std::size_t i = 0; lane.is_line() && i + 1 < points.size(); ++i) draw_line(channel, cells, points[i], points[i + 1], line / 2);
    }
    return map;
}

SocketType SocketTraits<BevMap>::describe() {
    return {.title = "BEV Map", .colour = "#b5a15c", .help = "What is painted on a street, from above: a channel of zeros and ones for each kind",
            .bytes = erased<BevMap>([](const BevMap& map) { return tensor_bytes(map.tensor); }),
            .summary = erased<BevMap>([](const BevMap& map) { return gpu::format("{} x {} cells, {} m each way", map.cells(), map.cells(), map.range); }),
            .preview = erased<BevMap>([](const BevMap& map, int max_side) {
                const int cells = static_cast<int>(map.cells());
                const std::vector<float> values = gpu::to_floats(map.tensor);
                QImage picture(cells, cells, QImage::Format_RGB32);
                picture.fill(QColor(40, 44, 40));
                for (const std::size_t layer : lane_order)
                    for (int i = 0; i < cells * cells; ++i)
                        if (values[layer * static_cast<std::size_t>(cells) * cells + i] > 0.5f) picture.setPixelColor(i % cells, i / cells, lane_colour(layer));
                return cells <= max_side ? picture : picture.scaled(max_side, max_side);
            }),
            .hash = erased<BevMap>([](const BevMap& map) { return gpu::Hasher().add(map.range).add(content_hash(map.tensor)).finish(); }),
            .store = erased<BevMap>([](const BevMap& map) { return std::optional(StoredValue{{{"range", map.range}}, {{"tensor", map.tensor}}}); }),
            .restore = [](const StoredValue& stored) { return Value::of<BevMap>({stored_tensor(stored, "tensor"), stored.fields["range"].toDouble()}); }};
}

}  // namespace nodes
