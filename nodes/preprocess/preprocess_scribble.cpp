#include "nodes/preprocess/source.h"

namespace nodes {
namespace {

enum class Method { Dark, Xdog };

struct PreprocessScribble final : Node {
    PreprocessScribble() : Node({.id = "preprocess.scribble", .version = 1, .title = "Scribble", .category = "Control Pictures",
                                 .help = "Hard white strokes on black for scribble networks: from a drawing with dark strokes on paper, or lines found in a "
                                         "photograph."}) {}

    In<Image>     image    {this, "image", "Drawings or photographs; transparent parts count as white"};
    Param<Method> method   {this, "method", "Dark: pixels with a channel darker than the threshold. Xdog: where a wide blur is darker than a narrow one by more "
                                            "than half the threshold",
                            {.initial = Method::Dark, .names = {"dark", "xdog"}}};
    Param<double> threshold{this, "threshold", "Of values 0 to 255; control networks were trained with 127 by dark and 32 by xdog",
                            {.initial = 127, .min = 0, .max = 255, .step = 1, .decimals = 0}};
    Param<double> narrow   {this, "narrow", "Xdog: deviation of the narrow blur", {.initial = 0.5, .min = 0.1, .max = 64, .step = 0.1, .unit = "px", .advanced = true}};
    Param<double> wide     {this, "wide", "Xdog: deviation of the wide blur", {.initial = 5, .min = 0.1, .max = 64, .step = 0.1, .unit = "px", .advanced = true}};
    Out<Image>    strokes  {this, "image", "The strokes, gray, only black and white"};

    void compute(Eval& ev) const override {
        const Tensor color = source_colors(ev[image]);
        Tensor drawn;      // Bool [N, 1, H, W]
        if (ev[method] == Method::Dark) {
            drawn = gpu::less(gpu::min(color, {1}), gpu::full({}, ev[threshold] / 255));
        } else {
            if (ev[wide] <= ev[narrow]) ev.fail(wide, "expected more than the narrow blur's {} px, got {}", ev[narrow], ev[wide]);
            // The least difference of the channels, as ControlNet's scribble_xdog takes it: ink is dark in all of them.
            const Tensor difference = gpu::min(gpu::gaussian_blur(color, ev[wide]) - gpu::gaussian_blur(color, ev[narrow]), {1});
            drawn = gpu::less(gpu::full({}, ev[threshold] / 255), 2.0 * difference);
        }
        ev.set(strokes, evaluated(make_image(gpu::cast(drawn, gpu::Dtype::F32))));
    }
};

}  // namespace

REGISTER_NODE(preprocess_scribble, PreprocessScribble)

}  // namespace nodes
