// Separable blend modes and the compositing rule of W3C "Compositing and Blending Level 1", on straight alpha.
#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"

namespace nodes {
namespace {

enum class Mode {
    Normal, Multiply, Screen, Overlay, Darken, Lighten, Add, Subtract, Difference, HardLight, SoftLight
};

Tensor choose(const Tensor& x, double limit, const Tensor& up_to, const Tensor& above) {
    return gpu::where(gpu::less_equal(x, gpu::full({}, limit)), up_to, above);
}

Tensor screen(const Tensor& a, const Tensor& b) { return a + b - a * b; }

Tensor hard_light(const Tensor& under, const Tensor& over) {
    return choose(over, 0.5, under * (2.0 * over), screen(under, 2.0 * over - 1.0));
}

Tensor soft_light(const Tensor& under, const Tensor& over) {
    const Tensor safe = gpu::maximum(under, 0.0);
    const Tensor lifted = choose(under, 0.25, ((16.0 * under - 12.0) * under + 4.0) * under, gpu::sqrt(safe));
    return choose(over, 0.5, under - (1.0 - 2.0 * over) * under * (1.0 - under), under + (2.0 * over - 1.0) * (lifted - under));
}

Tensor mixed(Mode mode, const Tensor& under, const Tensor& over) {
    switch (mode) {
        case Mode::Normal: return over;
        case Mode::Multiply: return under * over;
        case Mode::Screen: return screen(under, over);
        case Mode::Overlay: return hard_light(over, under);
        case Mode::Darken: return gpu::minimum(under, over);
        case Mode::Lighten: return gpu::maximum(under, over);
        case Mode::Add: return under + over;
        case Mode::Subtract: return under - over;
        case Mode::Difference: return gpu::abs(under - over);
        case Mode::HardLight: return hard_light(under, over);
        case Mode::SoftLight: return soft_light(under, over);
    }
    return over;
}

struct ImageBlend final : Node {
    ImageBlend() : Node({.id = "image.blend", .version = 1, .title = "Blend", .category = "Image",
                         .help = "Lays one picture over another, where a mask says. Mixed in the base's colour space."}) {}

    In<Image>     base   {this, "base", "The picture underneath"};
    In<Image>     layer  {this, "layer", "The picture on top, of the same size"};
    In<Mask>      mask   {this, "mask", "White shows the layer, black the base", {.optional = true}};
    Param<Mode>   mode   {this, "mode", "How the colours mix",
                          {.initial = Mode::Normal, .names = {"normal", "multiply", "screen", "overlay", "darken", "lighten", "add",
                                                              "subtract", "difference", "hard-light", "soft-light"}}};
    Param<double> opacity{this, "opacity", "Strength of the layer", {.initial = 1, .min = 0, .max = 1, .step = 0.05}};
    Out<Image>    blended{this, "image", "The mixture"};

    void compute(Eval& ev) const override {
        const Image& under = ev[base];
        check_size(ev, layer, under, ev[layer].width(), ev[layer].height(), ev[layer].batch());
        if (ev.has(mask)) check_size(ev, mask, under, ev[mask].width(), ev[mask].height(), ev[mask].batch());

        const Image over = in_space(ev[layer], under.space);
        const std::int64_t color_channels = std::max(under.channels(), over.channels()) == 1 ? 1 : 3;
        const Tensor b = widened({under.color(), under.space}, color_channels).tensor;
        const Tensor s = widened({over.color(), under.space}, color_channels).tensor;
        Tensor weight = ev[opacity] * (ev.has(mask) ? ev[mask].tensor : gpu::ones({1, 1, 1, 1}));
        if (over.has_alpha()) weight = weight * over.alpha();

        if (!under.has_alpha()) return ev.set(blended, evaluated({gpu::lerp(b, mixed(ev[mode], b, s), weight), under.space}));
        const Tensor backdrop = under.alpha();
        const Tensor alpha = weight + backdrop * (1.0 - weight);
        const Tensor color = (1.0 - weight) * backdrop * b + weight * gpu::lerp(s, mixed(ev[mode], b, s), backdrop);
        ev.set(blended, evaluated(from_premultiplied(gpu::concat({color, alpha}, 1), under.space)));
    }

    void check_size(Eval& ev, const Handle& at, const Image& under, std::int64_t w, std::int64_t h, std::int64_t n) const {
        if (w != under.width() || h != under.height())
            ev.fail(at, "expected the base's size {} x {}, got {} x {}: resize or crop it first", under.width(), under.height(), w, h);
        if (n != 1 && under.batch() != 1 && n != under.batch())
            ev.fail(at, "expected 1 or {} pictures, got {}", under.batch(), n);
    }
};

}  // namespace

REGISTER_NODE(image_blend, ImageBlend)

}  // namespace nodes
