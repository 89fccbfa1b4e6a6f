#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

struct ImageBlur final : Node {
    ImageBlur() : Node({.id = "image.blur", .version = 1, .title = "Blur", .category = "Image",
                        .help = "Gaussian blur. Transparent parts do not bleed into visible ones."}) {}

    In<Image>     image  {this, "image", "Pictures to blur"};
    Param<double> sigma  {this, "sigma", "Standard deviation of the bell", {.initial = 4, .min = 0, .max = 256, .step = 0.5, .unit = "px"}};
    Out<Image>    blurred{this, "image", "Blurred pictures"};

    void compute(Eval& ev) const override {
        const Image& source = ev[image];
        if (ev[sigma] == 0) return ev.set(blurred, source);
        ev.set(blurred, evaluated(from_premultiplied(gpu::gaussian_blur(premultiplied(source), ev[sigma]), source.space)));
    }
};

}  // namespace

REGISTER_NODE(image_blur, ImageBlur)

}  // namespace nodes
