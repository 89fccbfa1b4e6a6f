#include <algorithm>

#include "gpu/ops.h"
#include "nodes/core/curve.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

// f(x) of every element, piece by piece; level beyond the ends as Curve::at is.
Tensor curved(const Tensor& x, const Curve& curve) {
    if (curve.identity()) return x;
    const Tensor within = gpu::clamp(x, curve.points.front().x, curve.points.back().x);
    Tensor made;
    for (const Curve::Piece& piece : curve.pieces()) {
        const Tensor t = within - piece.from;
        const Tensor y = ((t * piece.c3 + piece.c2) * t + piece.c1) * t + piece.c0;
        made = made ? gpu::where(gpu::less_equal(gpu::full({}, piece.from), within), y, made) : y;
    }
    return made;
}

struct ImageCurves final : Node, CurveEdited {
    ImageCurves() : Node({.id = "image.curves", .version = 1, .title = "Curves", .category = "Image",
                          .help = "Changes tones by curves: from left to right the value before, from bottom to top the one after. First red, green and blue by "
                                  "themselves, then all three, then the luma. Curves go by encoded (sRGB) values; straight ones change nothing. Alpha stays."}) {}

    In<Image>          image {this, "image", "Pictures to change"};
    Param<std::string> rgb   {this, "rgb", "All three channels alike: points X:Y from 0 to 1 on a smooth line", {.initial = straight_curve, .label = "RGB"}};
    Param<std::string> luma  {this, "luma", "How bright pixels are (luma by Rec. 709); all three channels move by the same step, so that differences between "
                                            "them stay", {.initial = straight_curve}};
    Param<std::string> red   {this, "red", "The red channel", {.initial = straight_curve, .advanced = true}};
    Param<std::string> green {this, "green", "The green channel", {.initial = straight_curve, .advanced = true}};
    Param<std::string> blue  {this, "blue", "The blue channel", {.initial = straight_curve, .advanced = true}};
    Out<Image>         curves{this, "image", "The changed pictures"};

    std::vector<std::string> curve_params() const override { return {"rgb", "luma", "red", "green", "blue"}; }

    static Curve curve_of(Eval& ev, const Param<std::string>& param) {
        const std::optional<Curve> curve = parse_curve(ev[param]);
        if (!curve) ev.fail(param, "{}", curve_expectation(ev[param]));
        return *curve;
    }

    void compute(Eval& ev) const override {
        const Curve all = curve_of(ev, rgb), brightness = curve_of(ev, luma);
        const Curve each[] = {curve_of(ev, red), curve_of(ev, green), curve_of(ev, blue)};
        const bool apart = !std::ranges::all_of(each, &Curve::identity);
        if (!apart && all.identity() && brightness.identity()) return ev.set(curves, ev[image]);
        // Gray has three channels once they are no longer alike.
        const Image source = in_space(apart ? widened(ev[image], 3) : ev[image], ColorSpace::Srgb);
        Tensor color = source.color();
        if (apart) {
            gpu::Tensors channels;
            for (int i = 0; i < 3; ++i) channels.push_back(curved(gpu::slice(color, 1, i, i + 1), each[i]));
            color = gpu::concat(channels, 1);
        }
        color = curved(color, all);
        if (!brightness.identity()) {
            const float weights[] = {0.2126f, 0.7152f, 0.0722f};
            const Tensor y = color.size(1) == 1 ? color : gpu::sum(color * gpu::tensor(weights, {1, 3, 1, 1}), {1});
            color = color + (curved(y, brightness) - y);
        }
        const Image made = source.with(source.has_alpha() ? gpu::concat({color, source.alpha()}, 1) : color);
        ev.set(curves, evaluated(in_space(made, ev[image].space)));
    }
};

}  // namespace

REGISTER_NODE(image_curves, ImageCurves)

}  // namespace nodes
