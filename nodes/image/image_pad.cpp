#include "gpu/ops.h"
#include "nodes/core/direct_edit.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

enum class Border { Zero, Replicate, Reflect, Color };

struct ImagePad final : Node, DirectlyEdited {
    ImagePad() : Node({.id = "image.pad", .version = 1, .title = "Pad", .category = "Image",
                       .help = "Adds a border to pictures."}) {}

    In<Image>            image {this, "image", "Pictures to widen"};
    Param<int>           left  {this, "left", "Columns added on the left", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<int>           right {this, "right", "Columns added on the right", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<int>           top   {this, "top", "Rows added above", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<int>           bottom{this, "bottom", "Rows added below", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<Border>        border{this, "border", "What the new pixels show: black (transparent where there is alpha), the "
                                                "nearest pixel, the picture mirrored, or a colour",
                                {.initial = Border::Zero, .names = {"zero", "replicate", "reflect", "color"}}};
    Param<nodes::Color>  color {this, "color", "The border's colour", {.initial = "#808080"}};
    Out<Image>           padded{this, "image", "Pictures with their border"};

    void compute(Eval& ev) const override {
        const Image& source = ev[image];
        const int l = ev[left], r = ev[right], t = ev[top], b = ev[bottom];
        const Border kind = ev[border];
        if (kind == Border::Reflect) {
            if (l >= source.width() || r >= source.width())
                ev.fail(l >= source.width() ? left : right, "expected less than the picture's width {} to mirror, got {}",
                        source.width(), std::max(l, r));
            if (t >= source.height() || b >= source.height())
                ev.fail(t >= source.height() ? top : bottom, "expected less than the picture's height {} to mirror, got {}",
                        source.height(), std::max(t, b));
        }
        const auto mode = kind == Border::Replicate ? gpu::PadMode::Replicate
                          : kind == Border::Reflect ? gpu::PadMode::Reflect : gpu::PadMode::Zero;
        Tensor pixels = gpu::pad2d(source.tensor, l, r, t, b, mode);
        if (kind == Border::Color) {
            const Tensor inside = gpu::pad2d(gpu::ones({1, 1, source.height(), source.width()}), l, r, t, b, gpu::PadMode::Zero);
            pixels = pixels + color_tensor(ev[color], source.channels(), source.space) * (1.0 - inside);
        }
        ev.set(padded, evaluated(source.with(pixels)));
    }

    std::vector<DirectEdit> direct_edits() const override { return {MarginEdit{.picture = "image"}}; }
};

}  // namespace

REGISTER_NODE(image_pad, ImagePad)

}  // namespace nodes
