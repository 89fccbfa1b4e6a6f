#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/types/bev_map.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

struct StreetMap final : Node {
    StreetMap() : Node({.id = "street.map", .version = 1, .title = "Map of Street", .category = "Street",
                        .help = "The road from above as MagicDrive's network reads it: a channel of zeros and ones for each kind of area and line. Rows go to the right, "
                                "columns forward."}) {}

    In<Lanes>          lanes{this, "lanes", "What is painted on the street"};
    Param<double>      range{this, "range", "How far it reaches to each side of the LiDAR", {.initial = 50, .min = 1, .max = 1000, .unit = "m"}};
    Param<int>         cells{this, "cells", "Cells along each side", {.initial = 200, .min = 8, .max = 4096}};
    Param<double>      line {this, "line", "Thickness of dividers", {.initial = 2, .min = 0.5, .max = 64, .step = 0.5, .unit = "cells"}};
    Out<BevMap>        map  {this, "map", "The channels: drivable area, crossing, walkway, stop line, car park, road divider, lane divider, road block"};
    Out<Image>         image{this, "image", "The same in colours, to look at"};

    void compute(Eval& ev) const override {
        const std::int64_t side = ev[cells];
        const std::vector<float> values = rasterised(ev[lanes], ev[range], ev[cells], ev[line]);
        const BevMap made{gpu::tensor(values, {1, static_cast<std::int64_t>(lane_classes().size()), side, side}), ev[range]};
        const QImage picture = Value::of<BevMap>(made).preview(static_cast<int>(side));
        std::vector<float> pixels;
        for (int y = 0; y < picture.height(); ++y)
            for (int x = 0; x < picture.width(); ++x)
                for (const int part : {qRed(picture.pixel(x, y)), qGreen(picture.pixel(x, y)), qBlue(picture.pixel(x, y))}) pixels.push_back(static_cast<float>(part / 255.0));
        ev.set(map, made);
        ev.set(image, make_image(from_interleaved(std::move(pixels), 1, side, side, 3)));
    }
};

}  // namespace

REGISTER_NODE(street_map, StreetMap)

}  // namespace nodes
