#include "nodes/core/direct_edit.h"
#include "nodes/latent/cells.h"

namespace nodes {
namespace {

struct LatentCrop final : Node, DirectlyEdited {
    LatentCrop() : Node({.id = "latent.crop", .version = 1, .title = "Crop Latent", .category = "Latent",
                         .help = "Cuts a rectangle out of latents. Lengths are pixels of the picture, rounded to whole latent cells."}) {}

    In<Latent>  latent {this, "latent", "Latents to cut"};
    Param<int>  x      {this, "x", "Left side of the rectangle", {.initial = 0, .min = 0, .max = 65536, .step = 8, .unit = "px"}};
    Param<int>  y      {this, "y", "Its upper side", {.initial = 0, .min = 0, .max = 65536, .step = 8, .unit = "px"}};
    Param<int>  width  {this, "width", "Its width", {.initial = 512, .min = 8, .max = 65536, .step = 8, .unit = "px"}};
    Param<int>  height {this, "height", "Its height", {.initial = 512, .min = 8, .max = 65536, .step = 8, .unit = "px"}};
    Out<Latent> cropped{this, "latent", "What was inside"};

    void compute(Eval& ev) const override {
        const Latent& source = ev[latent];
        const std::int64_t left = cells(ev[x], source.format), top = cells(ev[y], source.format), w = cells(ev[width], source.format),
                           h = cells(ev[height], source.format), f = source.format.factor;
        if (w < 1 || left + w > source.width()) ev.fail(width, "expected a rectangle inside 0..{} px, got {}..{}", source.width() * f, left * f, (left + w) * f);
        if (h < 1 || top + h > source.height()) ev.fail(height, "expected a rectangle inside 0..{} px, got {}..{}", source.height() * f, top * f, (top + h) * f);
        const auto cut = [&](const Tensor& map) { return gpu::slice(gpu::slice(map, 2, top, top + h), 3, left, left + w); };
        Latent made = source.with(cut(source.tensor));
        ev.set(cropped, evaluated(source.mask ? made.with_mask(cut(source.mask)) : made));
    }

    std::vector<DirectEdit> direct_edits() const override { return {BoxEdit{.picture = "latent"}}; }
};

}  // namespace

REGISTER_NODE(latent_crop, LatentCrop)

}  // namespace nodes
