// PSNR, and SSIM of Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment" (2004): 11 x 11 Gaussian window with
// deviation 1.5, K1 = 0.01, K2 = 0.03, peak 1, over the windows that lie inside the picture, each channel alone, averaged.
#include <algorithm>
#include <cmath>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/number.h"

namespace nodes {
namespace {

constexpr int window = 11;
constexpr double most_psnr = 100;      // of pictures that do not differ

// x [M, 1, H, W] -> [M, 1, H - 10, W - 10]
Tensor windowed(const Tensor& x) {
    float taps[window];
    double total = 0;
    for (int i = 0; i < window; ++i) total += std::exp(-(i - 5) * (i - 5) / 4.5);
    for (int i = 0; i < window; ++i) taps[i] = static_cast<float>(std::exp(-(i - 5) * (i - 5) / 4.5) / total);
    return gpu::conv2d(gpu::conv2d(x, gpu::tensor(taps, {1, 1, window, 1})), gpu::tensor(taps, {1, 1, 1, window}));
}

// a, b [N, C, H, W] -> a number
Tensor ssim(const Tensor& a, const Tensor& b) {
    const gpu::Shape planes = {a.size(0) * a.size(1), 1, a.size(2), a.size(3)};
    const Tensor x = gpu::reshape(a, planes), y = gpu::reshape(b, planes);
    // One convolution for all five moments.
    const Tensor moments = windowed(gpu::concat({x, y, x * x, y * y, x * y}, 0));
    const auto part = [&](int i) { return gpu::slice(moments, 0, i * planes[0], (i + 1) * planes[0]); };
    const Tensor mx = part(0), my = part(1);
    const Tensor vx = part(2) - mx * mx, vy = part(3) - my * my, vxy = part(4) - mx * my;
    constexpr double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
    return gpu::mean((2.0 * mx * my + c1) * (2.0 * vxy + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2)));
}

struct ImageDifference final : Node {
    ImageDifference() : Node({.id = "image.difference", .version = 1, .title = "Difference", .category = "Image",
                              .help = "Measures how far two pictures are apart: PSNR and SSIM of their sRGB colours in 0..1.",
                              .target = true}) {}

    In<Image>     a         {this, "a", "One picture"};
    In<Image>     b         {this, "b", "The other one, of the same size"};
    Param<double> gain      {this, "gain", "Brightens the picture of the difference", {.initial = 4, .min = 0, .max = 1000, .step = 1}};
    Param<Color>  background{this, "background", "What transparent parts are put on before they are compared",
                             {.initial = "#ffffff", .advanced = true}};
    Out<Image>    difference{this, "image", "Absolute difference of each channel, times the gain"};
    Out<double>   psnr      {this, "psnr", "Peak signal to noise ratio in dB; 100 where nothing differs", "PSNR"};
    Out<double>   similarity{this, "ssim", "Structural similarity, 1 where nothing differs; 0 below 11 x 11 pixels", "SSIM"};

    void compute(Eval& ev) const override {
        const Image &first = ev[a], &second = ev[b];
        if (first.width() != second.width() || first.height() != second.height())
            ev.fail(b, "expected the first picture's size {} x {}, got {} x {}", first.width(), first.height(), second.width(),
                    second.height());
        if (first.batch() != second.batch())
            ev.fail(b, "expected {} pictures as the first input has, got {}", first.batch(), second.batch());
        const std::int64_t channels = std::max(first.channels(), second.channels()) == 1 ? 1 : 3;
        const auto prepared = [&](const Image& image) {
            return widened(flattened(in_space(image, ColorSpace::Srgb), ev[background]), channels).tensor;
        };
        const Tensor x = prepared(first), y = prepared(second);
        const Tensor error = gpu::mean(gpu::square(x - y));
        const Image shown = make_image(gpu::clamp(gpu::abs(x - y) * ev[gain], 0, 1));
        const bool large = first.width() >= window && first.height() >= window;
        const Tensor alike = large ? ssim(x, y) : gpu::zeros({1});
        gpu::evaluate({error, shown.tensor, alike});

        const double mse = gpu::to_number(error);
        const double decibels = mse > 0 ? std::min(most_psnr, -10 * std::log10(mse)) : most_psnr;
        ev.report("psnr", decibels, "dB");
        if (large)
            ev.report("ssim", gpu::to_number(alike));
        else
            ev.warn("SSIM needs at least {} x {} pixels, got {} x {}", window, window, first.width(), first.height());
        ev.set(difference, shown);
        ev.set(psnr, decibels);
        ev.set(similarity, gpu::to_number(alike));
    }
};

}  // namespace

REGISTER_NODE(image_difference, ImageDifference)

}  // namespace nodes
