#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

struct ImageRepeat final : Node {
    ImageRepeat() : Node({.id = "image.repeat", .version = 1, .title = "Repeat Pictures", .category = "Image",
                          .help = "Repeats a batch, one copy behind the other."}) {}

    In<Image>  image   {this, "image", "Pictures to repeat"};
    Param<int> times   {this, "times", "How often", {.initial = 2, .min = 1, .max = 4096}};
    Out<Image> repeated{this, "image", "The batch, again and again"};

    void compute(Eval& ev) const override { ev.set(repeated, evaluated(ev[image].with(gpu::repeat(ev[image].tensor, {ev[times], 1, 1, 1})))); }
};

}  // namespace

REGISTER_NODE(image_repeat, ImageRepeat)

}  // namespace nodes
