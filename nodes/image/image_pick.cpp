#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

struct ImagePick final : Node {
    ImagePick() : Node({.id = "image.pick", .version = 1, .title = "Pick Pictures", .category = "Image",
                        .help = "Takes some pictures out of a batch."}) {}

    In<Image>  image {this, "image", "A batch"};
    Param<int> index {this, "index", "The first one taken, counted from 0; negative numbers count from the end", {.initial = 0, .min = -65536, .max = 65535}};
    Param<int> count {this, "count", "How many", {.initial = 1, .min = 1, .max = 65536}};
    Out<Image> picked{this, "image", "Those taken"};

    void compute(Eval& ev) const override {
        const Image& source = ev[image];
        const std::int64_t first = ev[index] < 0 ? source.batch() + ev[index] : ev[index], last = first + ev[count];
        if (first < 0 || first >= source.batch()) ev.fail(index, "expected {} to {}, got {}", -source.batch(), source.batch() - 1, ev[index]);
        if (last > source.batch()) ev.fail(count, "expected at most {} from there, got {}", source.batch() - first, ev[count]);
        ev.set(picked, evaluated(source.with(gpu::slice(source.tensor, 0, first, last))));
    }
};

}  // namespace

REGISTER_NODE(image_pick, ImagePick)

}  // namespace nodes
