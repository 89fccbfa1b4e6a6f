#include <cmath>

#include "nodes/preprocess/source.h"

namespace nodes {
namespace {

struct PreprocessTile final : Node {
    PreprocessTile() : Node({.id = "preprocess.tile", .version = 1, .title = "Tile", .category = "Control Pictures",
                             .help = "A picture without its fine detail, which the tile network then paints anew: shrunk and enlarged again, or blurred."}) {}

    In<Image>     image  {this, "image", "Pictures; transparent parts count as white"};
    Param<double> factor {this, "factor", "Shrinks both sides by this", {.initial = 4, .min = 1, .max = 32, .step = 0.5}};
    Param<double> sigma  {this, "sigma", "Gaussian blur in addition", {.initial = 0, .min = 0, .max = 256, .step = 0.5, .unit = "px"}};
    Param<bool>   enlarge{this, "enlarge", "Back to the picture's size; off leaves it small", {.initial = true}};
    Out<Image>    coarse {this, "image", "What is left"};

    void compute(Eval& ev) const override {
        const Image& source = ev[image];
        Tensor color = source_colors(source);
        if (ev[factor] > 1) {
            const auto side = [&](std::int64_t length) { return std::max<std::int64_t>(1, std::llround(double(length) / ev[factor])); };
            color = gpu::resize(color, side(source.height()), side(source.width()), gpu::Filter::Area);
            if (ev[enlarge]) color = gpu::resize(color, source.height(), source.width(), gpu::Filter::Bicubic);
        }
        if (ev[sigma] > 0) color = gpu::gaussian_blur(color, ev[sigma]);
        ev.set(coarse, evaluated(make_image(gpu::clamp(color, 0, 1))));
    }
};

}  // namespace

REGISTER_NODE(preprocess_tile, PreprocessTile)

}  // namespace nodes
