// The hint of ControlNet 1.1's inpaint network: the picture in 0..1, and -1 in all channels of pixels that are to be painted.
#include "nodes/preprocess/source.h"
#include "nodes/types/mask.h"

namespace nodes {
namespace {

struct PreprocessInpaintHint final : Node {
    PreprocessInpaintHint() : Node({.id = "preprocess.inpaint_hint", .version = 1, .title = "Inpaint Hint", .category = "Control Pictures",
                                    .help = "The picture for an inpaint ControlNet: masked pixels become -1, which no picture file can hold, so connect it directly."}) {}

    In<Image>     image    {this, "image", "Pictures; transparent parts count as white"};
    In<Mask>      mask     {this, "mask", "White where something new is painted, of the picture's size"};
    Param<double> threshold{this, "threshold", "Mask values above this are painted", {.initial = 0.5, .min = 0, .max = 1, .step = 0.05}};
    Out<Image>    hint     {this, "image", "The hint, RGB, -1 and 0 to 1"};

    void compute(Eval& ev) const override {
        const Image& source = ev[image];
        const Mask& hole = ev[mask];
        if (hole.width() != source.width() || hole.height() != source.height())
            ev.fail(mask, "expected the picture's size {} x {}, got {} x {}", source.width(), source.height(), hole.width(), hole.height());
        if (hole.batch() != 1 && source.batch() != 1 && hole.batch() != source.batch())
            ev.fail(mask, "expected 1 or {} masks, got {}", source.batch(), hole.batch());
        const Tensor color = widened(make_image(source_colors(source)), 3).tensor;
        const Tensor painted = gpu::less(gpu::full({}, ev[threshold]), hole.tensor);
        ev.set(hint, evaluated(make_image(gpu::where(painted, gpu::full({}, -1), color), ColorSpace::Raw)));
    }
};

}  // namespace

REGISTER_NODE(preprocess_inpaint_hint, PreprocessInpaintHint)

}  // namespace nodes
