#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

struct ImageChecker final : Node {
    ImageChecker() : Node({.id = "image.checker", .version = 1, .title = "Checker", .category = "Image",
                           .help = "A checkerboard."}) {}

    Param<int>   width {this, "width", "Width of the picture", {.initial = 512, .min = 1, .max = 16384, .unit = "px"}};
    Param<int>   height{this, "height", "Height of the picture", {.initial = 512, .min = 1, .max = 16384, .unit = "px"}};
    Param<int>   cell  {this, "cell", "Side of a square", {.initial = 32, .min = 1, .max = 16384, .unit = "px"}};
    Param<Color> first {this, "first", "Colour of the top left square", {.initial = "#f2f2f2"}};
    Param<Color> second{this, "second", "Colour of its neighbours", {.initial = "#404040"}};
    Out<Image>   image {this, "image", "The checkerboard, RGB, RGBA where a colour is transparent"};

    void compute(Eval& ev) const override {
        const int channels = ev[first].alpha < 1 || ev[second].alpha < 1 ? 4 : 3;
        // Centres at half integers keep the quotient away from whole numbers, where rounding would decide.
        const auto squares = [&](int length) { return gpu::floor((gpu::arange(length) + 0.5) / double(ev[cell])); };
        const Tensor count = gpu::reshape(squares(ev[width]), {1, 1, 1, -1}) + gpu::reshape(squares(ev[height]), {1, 1, -1, 1});
        const Tensor odd = count - 2.0 * gpu::floor(count / 2.0 + 0.25);      // [1, 1, H, W], 0 or 1
        ev.set(image, evaluated(make_image(gpu::lerp(color_tensor(ev[first], channels, ColorSpace::Srgb),
                                                     color_tensor(ev[second], channels, ColorSpace::Srgb), odd))));
    }
};

}  // namespace

REGISTER_NODE(image_checker, ImageChecker)

}  // namespace nodes
