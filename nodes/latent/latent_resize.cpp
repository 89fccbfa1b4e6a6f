#include "gpu/run/evaluate.h"
#include "nodes/latent/cells.h"
#include "nodes/latent/slerp.h"

namespace nodes {
namespace {

enum class By { Size, Scale };
enum class Filter { Nearest, Bilinear, Bicubic, Area, Lanczos, Bislerp };

// Two neighbours along an axis and the way from the first to the second, pixel centres at half integers.
struct Between {
    std::size_t first, second;
    double t;
};
Between between(std::int64_t at, std::int64_t from, std::int64_t to) {
    const double x = std::clamp((double(at) + 0.5) * double(from) / double(to) - 0.5, 0.0, double(from - 1));
    const auto first = static_cast<std::int64_t>(x);
    return {static_cast<std::size_t>(first), static_cast<std::size_t>(std::min(first + 1, from - 1)), x - double(first)};
}

// Linear interpolation that turns the channels' vector instead of shortening it: columns, then rows.
Tensor bislerp(const Tensor& x, std::int64_t h, std::int64_t w) {
    const auto n = static_cast<std::size_t>(x.size(0)), c = static_cast<std::size_t>(x.size(1)), rows = static_cast<std::size_t>(x.size(2)),
               columns = static_cast<std::size_t>(x.size(3)), hh = static_cast<std::size_t>(h), ww = static_cast<std::size_t>(w);
    const std::vector<float> source = gpu::to_floats(x);
    std::vector<float> wide(n * c * rows * ww), result(n * c * hh * ww);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t v = 0; v < ww; ++v) {
            const Between at = between(static_cast<std::int64_t>(v), x.size(3), w);
            for (std::size_t u = 0; u < rows; ++u) {
                const float* line = source.data() + i * c * rows * columns + u * columns;
                slerp(line + at.first, line + at.second, c, rows * columns, at.t, wide.data() + i * c * rows * ww + u * ww + v, rows * ww);
            }
        }
        for (std::size_t u = 0; u < hh; ++u) {
            const Between at = between(static_cast<std::int64_t>(u), x.size(2), h);
            for (std::size_t v = 0; v < ww; ++v) {
                const float* line = wide.data() + i * c * rows * ww + v;
                slerp(line + at.first * ww, line + at.second * ww, c, rows * ww, at.t, result.data() + i * c * hh * ww + u * ww + v, hh * ww);
            }
        }
    }
    return gpu::tensor(result, {x.size(0), x.size(1), h, w});
}

struct LatentResize final : Node {
    LatentResize() : Node({.id = "latent.resize", .version = 1, .title = "Resize Latent", .category = "Latent",
                           .help = "Resamples latents to another size, as a start for sampling in more detail. A latent is no picture: what "
                                   "comes out needs some steps of sampling to be sharp."}) {}

    In<Latent>    latent {this, "latent", "Latents to resize"};
    Param<By>     by     {this, "by", "What gives the new size: width and height, or a factor", {.initial = By::Scale, .names = {"size", "scale"}}};
    Param<int>    width  {this, "width", "New width, rounded to whole latent cells; 0 follows the height", {.initial = 1024, .min = 0, .max = 16384, .step = 8, .unit = "px"}};
    Param<int>    height {this, "height", "New height; 0 follows the width", {.initial = 1024, .min = 0, .max = 16384, .step = 8, .unit = "px"}};
    Param<double> scale  {this, "scale", "Factor for both sides", {.initial = 1.5, .min = 0.01, .max = 16, .step = 0.1}};
    Param<Filter> filter {this, "filter", "How cells are weighted; bislerp turns the vector of channels from cell to cell, which keeps contrast",
                          {.initial = Filter::Bislerp, .names = {"nearest", "bilinear", "bicubic", "area", "lanczos", "bislerp"}}};
    Out<Latent>   resized{this, "latent", "Resized latents"};

    void compute(Eval& ev) const override {
        const Latent& source = ev[latent];
        const double sw = double(source.width()), sh = double(source.height());
        double w = sw * ev[scale], h = sh * ev[scale];
        if (ev[by] == By::Size) {
            if (ev[width] == 0 && ev[height] == 0) ev.fail(width, "expected a width, a height or both, got neither");
            w = double(ev[width]) / source.format.factor;
            h = double(ev[height]) / source.format.factor;
            if (ev[width] == 0) w = sw * h / sh;
            if (ev[height] == 0) h = sh * w / sw;
        }
        const auto rounded = [](double length) { return std::max<std::int64_t>(1, std::llround(length)); };
        const std::int64_t ww = rounded(w), hh = rounded(h);
        if (ww > 8192 || hh > 8192) ev.fail(latent, "expected sides of at most 8192 cells, got {} x {}", ww, hh);
        Latent made = source.with(ev[filter] == Filter::Bislerp ? bislerp(source.tensor, hh, ww) : gpu::resize(source.tensor, hh, ww, op(ev[filter])));
        if (source.mask) made = made.with_mask(gpu::resize(source.mask, hh, ww, ev[filter] == Filter::Nearest ? gpu::Filter::Nearest : gpu::Filter::Bilinear));
        ev.set(resized, evaluated(made));
    }

    static gpu::Filter op(Filter filter) {
        switch (filter) {
            case Filter::Nearest: return gpu::Filter::Nearest;
            case Filter::Bicubic: return gpu::Filter::Bicubic;
            case Filter::Area: return gpu::Filter::Area;
            case Filter::Lanczos: return gpu::Filter::Lanczos;
            default: return gpu::Filter::Bilinear;
        }
    }
};

}  // namespace

REGISTER_NODE(latent_resize, LatentResize)

}  // namespace nodes
