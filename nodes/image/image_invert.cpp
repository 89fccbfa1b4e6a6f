#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

struct ImageInvert final : Node {
    ImageInvert() : Node({.id = "image.invert", .version = 1, .title = "Invert Picture", .category = "Image",
                          .help = "The negative: 1 minus each colour value. Alpha stays."}) {}

    In<Image>  image   {this, "image", "Pictures to invert"};
    Out<Image> inverted{this, "image", "Their negatives"};

    void compute(Eval& ev) const override {
        const Image& source = ev[image];
        const Tensor negative = 1 - source.color();
        ev.set(inverted, evaluated(source.with(source.has_alpha() ? gpu::concat({negative, source.alpha()}, 1) : negative)));
    }
};

}  // namespace

REGISTER_NODE(image_invert, ImageInvert)

}  // namespace nodes
