#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"

namespace nodes {
namespace {

struct ImageSetAlpha final : Node {
    ImageSetAlpha() : Node({.id = "image.set_alpha", .version = 1, .title = "Set Alpha", .category = "Image",
                            .help = "Makes a mask the alpha of pictures: white is opaque. A mask of another size is resampled."}) {}

    In<Image>   image {this, "image", "The pictures; what alpha they have is replaced"};
    In<Mask>    mask  {this, "mask", "One mask, or one for each picture"};
    Param<bool> invert{this, "invert", "White is transparent instead", {.initial = false}};
    Out<Image>  made  {this, "image", "The pictures with alpha"};

    void compute(Eval& ev) const override {
        const Image source = widened(ev[image], 3);
        const Mask& given = ev[mask];
        if (given.batch() != 1 && given.batch() != source.batch()) ev.fail(mask, "expected 1 mask or {}, got {}", source.batch(), given.batch());
        Tensor alpha = given.tensor;
        if (given.height() != source.height() || given.width() != source.width())
            alpha = gpu::clamp(gpu::resize(alpha, source.height(), source.width(), gpu::Filter::Bilinear), 0, 1);
        if (ev[invert]) alpha = 1 - alpha;
        alpha = gpu::broadcast_to(alpha, {source.batch(), 1, source.height(), source.width()});
        ev.set(made, evaluated(source.with(gpu::concat({source.color(), alpha}, 1))));
    }
};

}  // namespace

REGISTER_NODE(image_set_alpha, ImageSetAlpha)

}  // namespace nodes
