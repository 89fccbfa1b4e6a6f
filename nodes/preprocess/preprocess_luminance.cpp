#include "nodes/preprocess/source.h"

namespace nodes {
namespace {

enum class Measure { Lightness, Value, Luma };

// CIE L* of sRGB, 0..1.
Tensor lightness(const Image& image) {
    const Tensor linear = in_space(image, ColorSpace::Linear).tensor;
    const float weights[] = {0.212671f, 0.715160f, 0.072169f};
    const Tensor y = gpu::maximum(linear.size(1) == 1 ? linear : gpu::sum(linear * gpu::tensor(weights, {1, 3, 1, 1}), {1}), 0.0);
    constexpr double knee = 216.0 / 24389, slope = 24389.0 / 27;      // CIE 15:2004
    return gpu::where(gpu::less_equal(y, gpu::full({}, knee)), y * (slope / 100), 1.16 * gpu::pow(gpu::maximum(y, knee), 1.0 / 3) - 0.16);
}

struct PreprocessLuminance final : Node {
    PreprocessLuminance() : Node({.id = "preprocess.luminance", .version = 1, .title = "Luminance", .category = "Control Pictures",
                                  .help = "Brightness alone, for networks that colour pictures. Put the colours on afterwards with Recolour."}) {}

    In<Image>      image     {this, "image", "Pictures; transparent parts count as white"};
    Param<Measure> measure   {this, "measure", "Lightness: L* of CIELAB. Value: the greatest channel. Luma: Rec. 601's weighted sum of the encoded channels",
                              {.initial = Measure::Lightness, .names = {"lightness", "value", "luma"}}};
    Param<double>  gamma     {this, "gamma", "Exponent of the result: above 1 darker, below 1 brighter", {.initial = 1, .min = 0.05, .max = 10, .step = 0.05}};
    Out<Image>     brightness{this, "image", "The brightness, gray"};

    void compute(Eval& ev) const override {
        const Image source = make_image(source_colors(ev[image]));
        Tensor y;      // [N, 1, H, W]
        switch (ev[measure]) {
            case Measure::Lightness: y = lightness(source); break;
            case Measure::Value: y = gpu::max(source.tensor, {1}); break;
            case Measure::Luma: y = source_gray(source); break;
        }
        y = gpu::clamp(y, 0, 1);
        if (ev[gamma] != 1) y = gpu::pow(y, ev[gamma]);
        ev.set(brightness, evaluated(make_image(y)));
    }
};

}  // namespace

REGISTER_NODE(preprocess_luminance, PreprocessLuminance)

}  // namespace nodes
