#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

struct ImageBatch final : Node {
    ImageBatch() : Node({.id = "image.batch", .version = 1, .title = "Batch Pictures", .category = "Image",
                         .help = "Puts pictures of one size one behind the other. Gray ones become as colourful as the others, those without alpha opaque."}) {}

    In<Image>  a    {this, "a", "The first ones"};
    In<Image>  b    {this, "b", "Those behind them, in the colour space of the first"};
    Out<Image> image{this, "image", "All of them"};

    void compute(Eval& ev) const override {
        const Image& first = ev[a];
        const Image second = in_space(ev[b], first.space);
        if (second.width() != first.width() || second.height() != first.height())
            ev.fail(b, "expected the first ones' {} x {} px, got {} x {}", first.width(), first.height(), second.width(), second.height());
        const std::int64_t channels = std::max(first.channels(), second.channels());
        ev.set(image, evaluated(make_image(gpu::concat({widened(first, channels).tensor, widened(second, channels).tensor}, 0), first.space)));
    }
};

}  // namespace

REGISTER_NODE(image_batch, ImageBatch)

}  // namespace nodes
