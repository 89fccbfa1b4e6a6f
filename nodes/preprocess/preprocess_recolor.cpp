#include "nodes/preprocess/source.h"

namespace nodes {
namespace {

struct PreprocessRecolor final : Node {
    PreprocessRecolor() : Node({.id = "preprocess.recolor", .version = 1, .title = "Recolour", .category = "Control Pictures",
                                .help = "Puts the colours of one picture on the brightness of another, so that a coloured photograph keeps every detail of the old "
                                        "one. What no screen shows is cut off."}) {}

    In<Image>     brightness{this, "brightness", "The picture whose brightness stays"};
    In<Image>     color     {this, "color", "The picture whose colours are taken, resized to the other one"};
    Param<double> strength  {this, "strength", "How much of the colour is taken; 0 is gray", {.initial = 1, .min = 0, .max = 2, .step = 0.05}};
    Out<Image>    recolored {this, "image", "RGB"};

    void compute(Eval& ev) const override {
        const Image &gray = ev[brightness], &paint = ev[color];
        if (gray.batch() != 1 && paint.batch() != 1 && gray.batch() != paint.batch())
            ev.fail(color, "expected 1 or {} pictures, got {}", gray.batch(), paint.batch());
        Tensor colors = widened(make_image(source_colors(paint)), 3).tensor;
        if (paint.width() != gray.width() || paint.height() != gray.height())
            colors = gpu::resize(colors, gray.height(), gray.width(), gpu::Filter::Bicubic);
        // The colour differences R - Y, G - Y, B - Y are what YCbCr keeps beside the luma Y.
        const Tensor chroma = colors - source_gray(make_image(colors));
        ev.set(recolored, evaluated(make_image(gpu::clamp(source_gray(gray) + ev[strength] * chroma, 0, 1))));
    }
};

}  // namespace

REGISTER_NODE(preprocess_recolor, PreprocessRecolor)

}  // namespace nodes
