#include <algorithm>
#include <vector>

#include "gpu/ops.h"
#include "nodes/core/direct_edit.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"

namespace nodes {
namespace {

enum class Fill { Gray, Replicate };

struct ImageOutpaint final : Node, DirectlyEdited {
    ImageOutpaint() : Node({.id = "image.outpaint", .version = 1, .title = "Pad for Outpainting", .category = "Inpaint",
                            .help = "Widens pictures by parts that are to be painted, and makes the mask that chooses them, with a soft edge into "
                                    "the picture."}) {}

    In<Image>   image  {this, "image", "Pictures to widen"};
    Param<int>  left   {this, "left", "Columns added on the left", {.initial = 0, .min = 0, .max = 16384, .step = 8, .unit = "px"}};
    Param<int>  top    {this, "top", "Rows added above", {.initial = 0, .min = 0, .max = 16384, .step = 8, .unit = "px"}};
    Param<int>  right  {this, "right", "Columns added on the right", {.initial = 0, .min = 0, .max = 16384, .step = 8, .unit = "px"}};
    Param<int>  bottom {this, "bottom", "Rows added below", {.initial = 0, .min = 0, .max = 16384, .step = 8, .unit = "px"}};
    Param<int>  feather{this, "feather", "How far the mask fades out into the picture from a side that was widened",
                        {.initial = 40, .min = 0, .max = 4096, .unit = "px"}};
    Param<Fill> fill   {this, "fill", "What the new pixels show: neutral gray, or the nearest pixel", {.initial = Fill::Gray, .names = {"gray", "replicate"}}};
    Out<Image>  padded {this, "image", "Widened pictures, RGB"};
    Out<Mask>   mask   {this, "mask", "White where there was nothing"};

    void compute(Eval& ev) const override {
        const Image source = widened(in_space(ev[image], ColorSpace::Srgb), 3);
        const int l = ev[left], r = ev[right], t = ev[top], b = ev[bottom];
        const std::int64_t h = source.height(), w = source.width();
        const Tensor color = source.color();
        const Tensor inside = gpu::pad2d(gpu::ones({1, 1, h, w}), l, r, t, b, gpu::PadMode::Zero);
        const Tensor pixels = ev[fill] == Fill::Replicate ? gpu::pad2d(color, l, r, t, b, gpu::PadMode::Replicate)
                                                          : gpu::pad2d(color, l, r, t, b, gpu::PadMode::Zero) + 0.5 * (1.0 - inside);
        // Inside it is ((feather - d) / feather)^2 at a distance d below it from the nearest widened side.
        const int soft = ev[feather];
        std::vector<float> fade(static_cast<std::size_t>(h * w));
        for (std::int64_t y = 0; y < h; ++y)
            for (std::int64_t x = 0; x < w; ++x) {
                std::int64_t d = std::max(h, w);
                if (l) d = std::min(d, x);
                if (r) d = std::min(d, w - 1 - x);
                if (t) d = std::min(d, y);
                if (b) d = std::min(d, h - 1 - y);
                const float share = d < soft && (l || r || t || b) ? float(soft - d) / float(soft) : 0.0F;
                fade[static_cast<std::size_t>(y * w + x)] = share * share;
            }
        const Tensor map = 1.0 - inside + gpu::pad2d(gpu::tensor(fade, {1, 1, h, w}), l, r, t, b, gpu::PadMode::Zero);
        ev.set(padded, evaluated(make_image(pixels)));
        ev.set(mask, evaluated(make_mask(map)));
    }

    std::vector<DirectEdit> direct_edits() const override { return {MarginEdit{.picture = "image"}}; }
};

}  // namespace

REGISTER_NODE(image_outpaint, ImageOutpaint)

}  // namespace nodes
