#include <cmath>
#include <numbers>

#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

enum class Form { Linear, Radial };

struct ImageGradient final : Node {
    ImageGradient() : Node({.id = "image.gradient", .version = 1, .title = "Gradient", .category = "Image",
                            .help = "A smooth run from one colour to another."}) {}

    Param<int>    width {this, "width", "Width of the picture", {.initial = 512, .min = 1, .max = 16384, .unit = "px"}};
    Param<int>    height{this, "height", "Height of the picture", {.initial = 512, .min = 1, .max = 16384, .unit = "px"}};
    Param<Form>   form  {this, "form", "Along a line from edge to edge, or from the middle outwards",
                         {.initial = Form::Linear, .names = {"linear", "radial"}}};
    Param<double> angle {this, "angle", "Direction of the line: 0 to the right, 90 down", {.initial = 0, .min = -360, .max = 360, .step = 5, .unit = "deg"}};
    Param<double> radius{this, "radius", "Where a radial run ends, in half diagonals", {.initial = 1, .min = 0.01, .max = 10, .step = 0.1}};
    Param<Color>  first {this, "first", "Colour at the start", {.initial = "#000000"}};
    Param<Color>  second{this, "second", "Colour at the end", {.initial = "#ffffff"}};
    Out<Image>    image {this, "image", "The gradient, RGB, RGBA where a colour is transparent"};

    void compute(Eval& ev) const override {
        const double w = ev[width], h = ev[height];
        const Tensor x = gpu::reshape(gpu::arange(ev[width]), {1, 1, 1, -1}) + (0.5 - w / 2);      // from the middle
        const Tensor y = gpu::reshape(gpu::arange(ev[height]), {1, 1, -1, 1}) + (0.5 - h / 2);
        Tensor at;      // [1, 1, H, W], 0..1
        if (ev[form] == Form::Radial) {
            at = gpu::sqrt(gpu::square(x) + gpu::square(y)) / (ev[radius] * std::hypot(w, h) / 2);
        } else {
            const double turn = ev[angle] * std::numbers::pi / 180, c = std::cos(turn), s = std::sin(turn);
            at = (x * c + y * s) / (std::abs(w * c) + std::abs(h * s)) + 0.5;
        }
        const int channels = ev[first].alpha < 1 || ev[second].alpha < 1 ? 4 : 3;
        ev.set(image, evaluated(make_image(gpu::lerp(color_tensor(ev[first], channels, ColorSpace::Srgb),
                                                     color_tensor(ev[second], channels, ColorSpace::Srgb), gpu::clamp(at, 0, 1)))));
    }
};

}  // namespace

REGISTER_NODE(image_gradient, ImageGradient)

}  // namespace nodes
