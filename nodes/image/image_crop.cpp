#include "gpu/ops.h"
#include "nodes/core/direct_edit.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

enum class Anchor { TopLeft, Center };

struct ImageCrop final : Node, DirectlyEdited {
    ImageCrop() : Node({.id = "image.crop", .version = 1, .title = "Crop", .category = "Image",
                        .help = "Cuts a rectangle out of pictures."}) {}

    In<Image>     image  {this, "image", "Pictures to cut"};
    Param<Anchor> anchor {this, "anchor", "Where the rectangle sits before x and y move it",
                          {.initial = Anchor::Center, .names = {"top-left", "center"}}};
    Param<int>    x      {this, "x", "Moves it to the right", {.initial = 0, .min = -65536, .max = 65536, .unit = "px"}};
    Param<int>    y      {this, "y", "Moves it down", {.initial = 0, .min = -65536, .max = 65536, .unit = "px"}};
    Param<int>    width  {this, "width", "Width of the rectangle", {.initial = 512, .min = 1, .max = 65536, .unit = "px"}};
    Param<int>    height {this, "height", "Height of the rectangle", {.initial = 512, .min = 1, .max = 65536, .unit = "px"}};
    Out<Image>    cropped{this, "image", "What was inside"};

    void compute(Eval& ev) const override {
        const Image& source = ev[image];
        const bool centred = ev[anchor] == Anchor::Center;
        const std::int64_t w = ev[width], h = ev[height];
        if (w > source.width()) ev.fail(width, "expected at most {} px, the picture's width, got {}", source.width(), w);
        if (h > source.height()) ev.fail(height, "expected at most {} px, the picture's height, got {}", source.height(), h);
        const std::int64_t left = (centred ? (source.width() - w) / 2 : 0) + ev[x];
        const std::int64_t top = (centred ? (source.height() - h) / 2 : 0) + ev[y];
        if (left < 0 || left + w > source.width())
            ev.fail(x, "expected a rectangle inside 0..{}, got {}..{}", source.width(), left, left + w);
        if (top < 0 || top + h > source.height())
            ev.fail(y, "expected a rectangle inside 0..{}, got {}..{}", source.height(), top, top + h);
        ev.set(cropped, evaluated(source.with(gpu::slice(gpu::slice(source.tensor, 2, top, top + h), 3, left, left + w))));
    }

    std::vector<DirectEdit> direct_edits() const override { return {BoxEdit{.picture = "image", .anchor = "anchor", .centred = "center"}}; }
};

}  // namespace

REGISTER_NODE(image_crop, ImageCrop)

}  // namespace nodes
