#include "nodes/core/direct_edit.h"
#include "nodes/latent/cells.h"
#include "nodes/types/mask.h"

namespace nodes {
namespace {

struct LatentComposite final : Node, DirectlyEdited {
    LatentComposite() : Node({.id = "latent.composite", .version = 1, .title = "Composite Latents", .category = "Latent",
                              .help = "Lays one latent over another, at a place, through a mask, with soft edges. Lengths are pixels of the "
                                      "picture, rounded to whole latent cells; what stands over is cut."}) {}

    In<Latent>  under  {this, "under", "The latents below"};
    In<Latent>  over   {this, "over", "The latents above; one serves all below"};
    In<Mask>    mask   {this, "mask", "Where the upper one shows, stretched over it; everywhere when nothing is connected", {.optional = true}};
    Param<int>  x      {this, "x", "Where its left side lies", {.initial = 0, .min = -65536, .max = 65536, .step = 8, .unit = "px"}};
    Param<int>  y      {this, "y", "Where its upper side lies", {.initial = 0, .min = -65536, .max = 65536, .step = 8, .unit = "px"}};
    Param<int>  feather{this, "feather", "How far it fades in from its edges, but not from those on an edge of the lower one",
                        {.initial = 0, .min = 0, .max = 4096, .step = 8, .unit = "px"}};
    Out<Latent> latent {this, "latent", "Both together, as large as the lower one"};

    void compute(Eval& ev) const override {
        const Latent &below = ev[under], &above = ev[over];
        if (above.format.channels != below.format.channels)
            ev.fail(over, "expected {} channels as the lower latent has, got {}", below.format.channels, above.format.channels);
        const std::int64_t left = cells(ev[x], below.format), top = cells(ev[y], below.format), w = above.width(), h = above.height();
        // The rectangle of the upper one that lies on the lower one.
        const std::int64_t x0 = std::max<std::int64_t>(0, -left), x1 = std::min(w, below.width() - left), y0 = std::max<std::int64_t>(0, -top),
                           y1 = std::min(h, below.height() - top);
        if (x0 >= x1 || y0 >= y1) {
            ev.warn("the upper latent lies outside of the lower one");
            ev.set(latent, below);
            return;
        }
        const std::int64_t soft = cells(ev[feather], below.format);
        Tensor weight = gpu::reshape(ramp(h, soft, top > 0, top + h < below.height()), {1, 1, h, 1}) *
                        gpu::reshape(ramp(w, soft, left > 0, left + w < below.width()), {1, 1, 1, w});
        if (ev.has(mask)) weight = weight * as_batch(gpu::resize(ev[mask].tensor, h, w, gpu::Filter::Bilinear), ev[mask].batch() == 1 ? 1 : below.batch());
        const auto placed = [&](const Tensor& map) {
            const Tensor part = gpu::slice(gpu::slice(map, 2, y0, y1), 3, x0, x1);
            return gpu::pad2d(part, static_cast<int>(left + x0), static_cast<int>(below.width() - left - x1), static_cast<int>(top + y0),
                              static_cast<int>(below.height() - top - y1), gpu::PadMode::Zero);
        };
        ev.set(latent, evaluated(below.with(gpu::lerp(below.tensor, placed(as_batch(above.tensor, below.batch())), placed(weight)))));
    }

    std::vector<DirectEdit> direct_edits() const override { return {PlaceEdit{.picture = "under", .over = "over"}}; }

    // 1 / soft, 2 / soft, ... 1 from the ends that fade.
    static Tensor ramp(std::int64_t count, std::int64_t soft, bool at_start, bool at_end) {
        std::vector<float> weights(static_cast<std::size_t>(count), 1.0F);
        for (std::int64_t i = 0; i < std::min(soft, count); ++i) {
            const float weight = float(i + 1) / float(soft);
            if (at_start) weights[static_cast<std::size_t>(i)] *= weight;
            if (at_end) weights[static_cast<std::size_t>(count - 1 - i)] *= weight;
        }
        return gpu::tensor(weights, {count});
    }
};

}  // namespace

REGISTER_NODE(latent_composite, LatentComposite)

}  // namespace nodes
