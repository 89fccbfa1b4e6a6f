#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"

namespace nodes {
namespace {

struct MaskFromColor final : Node {
    MaskFromColor() : Node({.id = "mask.from_color", .version = 1, .title = "Mask from Colour", .category = "Mask",
                            .help = "Chooses the pixels of one colour, as a painted-over area or a label of a segmentation has."}) {}

    In<Image>     image    {this, "image", "Pictures to read; alpha is left out"};
    Param<Color>  color    {this, "color", "The colour that is chosen", {.initial = "#ffffff"}};
    Param<double> tolerance{this, "tolerance", "How far any channel may be off, of 255", {.initial = 8, .min = 0, .max = 255, .step = 1}};
    Param<double> softness {this, "softness", "Over how much more the mask fades to black", {.initial = 0, .min = 0, .max = 255, .step = 1}};
    Out<Mask>     mask     {this, "mask", "White where the colour is"};

    void compute(Eval& ev) const override {
        const Image source = widened({in_space(ev[image], ColorSpace::Srgb).color(), ColorSpace::Srgb}, 3);
        const Tensor off = gpu::max(gpu::abs(source.tensor - color_tensor(ev[color], 3, ColorSpace::Srgb)), {1}) * 255.0;      // [N, 1, H, W]
        // A thousandth of a step of 8 bits lets a channel that is off by exactly the tolerance in.
        const Tensor beyond = off - (ev[tolerance] + 1e-3);
        const Tensor chosen = ev[softness] > 0 ? gpu::clamp(1.0 - beyond / ev[softness], 0, 1)
                                               : gpu::cast(gpu::less_equal(beyond, gpu::full({}, 0)), gpu::Dtype::F32);
        ev.set(mask, evaluated(make_mask(chosen)));
    }
};

}  // namespace

REGISTER_NODE(mask_from_color, MaskFromColor)

}  // namespace nodes
