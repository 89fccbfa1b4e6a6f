#include <algorithm>
#include <cmath>

#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

enum class By { Size, Scale, Longest, Shortest, Megapixels };
enum class Fit { Stretch, Inside, Cover };

constexpr int most_side = 16384;

struct ImageResize final : Node {
    ImageResize() : Node({.id = "image.resize", .version = 1, .title = "Resize", .category = "Image",
                          .help = "Resamples pictures to another size. Transparent parts do not bleed into visible ones."}) {}

    In<Image>          image    {this, "image", "Pictures to resize"};
    Param<By>          by       {this, "by", "What gives the new size: width and height, a factor, or the length of a side or the "
                                             "number of pixels with the sides' ratio kept",
                                 {.initial = By::Size, .names = {"size", "scale", "longest", "shortest", "megapixels"}}};
    Param<int>         width    {this, "width", "New width, by size", {.initial = 512, .min = 1, .max = most_side, .unit = "px"}};
    Param<int>         height   {this, "height", "New height, by size", {.initial = 512, .min = 1, .max = most_side, .unit = "px"}};
    Param<Fit>         fit      {this, "fit", "By size: stretch to it, stay inside it with the sides' ratio kept, or cover it and "
                                              "cut what stands over",
                                 {.initial = Fit::Stretch, .names = {"stretch", "inside", "cover"}}};
    Param<double>      scale    {this, "scale", "Factor for both sides, by scale", {.initial = 0.5, .min = 0.001, .max = 100, .step = 0.1}};
    Param<int>         side     {this, "side", "Length of the longest or shortest side", {.initial = 512, .min = 1, .max = most_side, .unit = "px"}};
    Param<double>      megapixels{this, "megapixels", "How many pixels, in units of 1024 x 1024", {.initial = 1, .min = 0.01, .max = 256, .step = 0.25, .unit = "Mpx"}};
    Param<int>         multiple {this, "multiple", "Rounds both sides to a multiple of this", {.initial = 1, .min = 1, .max = 256, .unit = "px", .advanced = true}};
    Param<gpu::Filter> filter   {this, "filter", "How pixels are weighted; area averages what a pixel covers",
                                 {.initial = gpu::Filter::Bicubic, .names = {"nearest", "bilinear", "bicubic", "lanczos", "area"}}};
    Param<bool>        antialias{this, "antialias", "Widens the filter when shrinking", {.initial = true, .advanced = true}};
    Param<bool>        linear   {this, "linear", "Mixes light instead of encoded values: right for photographs of bright points, "
                                                 "not what diffusion tools do",
                                 {.initial = false, .advanced = true}};
    Out<Image>         resized  {this, "image", "Resized pictures"};

    void compute(Eval& ev) const override {
        const Image& source = ev[image];
        const auto [w, h] = wanted_size(ev, source);
        std::int64_t full_w = w, full_h = h;      // before what stands over is cut
        if (ev[by] == By::Size && ev[fit] == Fit::Cover) {
            const double factor = std::max(double(w) / double(source.width()), double(h) / double(source.height()));
            full_w = std::max(w, std::llround(double(source.width()) * factor));
            full_h = std::max(h, std::llround(double(source.height()) * factor));
        }
        if (full_w > 4 * most_side || full_h > 4 * most_side)
            ev.fail(image, "expected sides of at most {} px, got {} x {}", 4 * most_side, full_w, full_h);
        const Image work = ev[linear] ? in_space(source, ColorSpace::Linear) : source;
        Tensor pixels = gpu::resize(premultiplied(work), full_h, full_w, ev[filter], ev[antialias]);
        pixels = gpu::slice(pixels, 2, (full_h - h) / 2, (full_h - h) / 2 + h);
        pixels = gpu::slice(pixels, 3, (full_w - w) / 2, (full_w - w) / 2 + w);
        ev.set(resized, evaluated(in_space(from_premultiplied(pixels, work.space), source.space)));
    }

    std::pair<long long, long long> wanted_size(Eval& ev, const Image& source) const {
        const auto sw = double(source.width()), sh = double(source.height());
        double w = ev[width], h = ev[height], factor = 0;
        switch (ev[by]) {
            case By::Size:
                if (ev[fit] == Fit::Inside) factor = std::min(w / sw, h / sh);
                break;
            case By::Scale: factor = ev[scale]; break;
            case By::Longest: factor = ev[side] / std::max(sw, sh); break;
            case By::Shortest: factor = ev[side] / std::min(sw, sh); break;
            case By::Megapixels: factor = std::sqrt(ev[megapixels] * 1024 * 1024 / (sw * sh)); break;
        }
        if (factor > 0) {
            w = sw * factor;
            h = sh * factor;
        }
        const int step = ev[multiple];
        const auto rounded = [&](double length) { return std::max<long long>(1, std::llround(length / step)) * step; };
        return {rounded(w), rounded(h)};
    }
};

}  // namespace

REGISTER_NODE(image_resize, ImageResize)

}  // namespace nodes
