// Differences of Gaussians. "lines" is XDoG of Winnemoller, Kyprianidis and Olsen, "XDoG: an eXtended difference-of-Gaussians compendium"
// (2012), equations 7 and 5: D = (1 + p) G_s - p G_ks; 1 where D >= epsilon, else 1 + tanh(phi (D - epsilon)), dark lines on white.
#include "nodes/preprocess/source.h"

namespace nodes {
namespace {

enum class Style { Edges, Lines };

struct PreprocessSoftEdge final : Node {
    PreprocessSoftEdge() : Node({.id = "preprocess.soft_edge", .version = 1, .title = "Soft Edges", .category = "Control Pictures",
                                 .help = "Soft edges by the difference of two Gaussian blurs, white on black: the part of a soft edge detector for networks that "
                                         "take HED or PiDiNet pictures, without a network of its own."}) {}

    In<Image>     image    {this, "image", "Pictures to look for edges in; transparent parts count as white"};
    Param<Style>  style    {this, "style", "Edges: how much the two blurs differ, on both sides of an edge. Lines: XDoG, ink along dark sides and in dark areas",
                            {.initial = Style::Edges, .names = {"edges", "lines"}}};
    Param<double> sigma    {this, "sigma", "Deviation of the narrow blur: the width of lines", {.initial = 1, .min = 0.1, .max = 64, .step = 0.1, .unit = "px"}};
    Param<double> ratio    {this, "ratio", "The wide blur's deviation over the narrow one's", {.initial = 1.6, .min = 1.01, .max = 16, .step = 0.1}};
    Param<double> gain     {this, "gain", "Edges: brightens the difference", {.initial = 16, .min = 0, .max = 200, .step = 1}};
    Param<double> sharpness{this, "sharpness", "Lines: p, how much the difference counts beside the picture itself", {.initial = 20, .min = 0, .max = 200, .step = 1}};
    Param<double> epsilon  {this, "epsilon", "Lines: brightness below which there is ink", {.initial = 0.5, .min = -10, .max = 10, .step = 0.05}};
    Param<double> phi      {this, "phi", "Lines: how hard ink begins", {.initial = 10, .min = 0, .max = 200, .step = 1}};
    Param<bool>   invert   {this, "invert", "Black on white, for people rather than networks", {.initial = false}};
    Out<Image>    found    {this, "image", "The edges, gray"};

    void compute(Eval& ev) const override {
        const Tensor gray = source_gray(ev[image]);      // [N, 1, H, W]
        const Tensor narrow = gpu::gaussian_blur(gray, ev[sigma]);
        const Tensor wide = gpu::gaussian_blur(gray, ev[sigma] * ev[ratio]);
        Tensor ink;
        if (ev[style] == Style::Edges) {
            ink = gpu::clamp(ev[gain] * gpu::abs(narrow - wide), 0, 1);
        } else {
            const Tensor d = (1 + ev[sharpness]) * narrow - ev[sharpness] * wide;
            ink = -gpu::tanh(ev[phi] * gpu::minimum(d - ev[epsilon], 0.0));
        }
        ev.set(found, evaluated(make_image(ev[invert] ? 1.0 - ink : ink)));
    }
};

}  // namespace

REGISTER_NODE(preprocess_soft_edge, PreprocessSoftEdge)

}  // namespace nodes
