#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/sampling/noise.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

enum class Kind { Uniform, Gaussian };

constexpr std::uint32_t picture_stream = 1;      // apart from the noise that samplers draw from the same seed

struct ImageNoise final : Node {
    ImageNoise() : Node({.id = "image.noise", .version = 1, .title = "Noise", .category = "Image",
                         .help = "Random pixels; the same seed gives the same numbers everywhere, and a picture of a batch does "
                                 "not depend on how many there are."}) {}

    Param<int>    width  {this, "width", "Width of the picture", {.initial = 512, .min = 1, .max = 16384, .unit = "px"}};
    Param<int>    height {this, "height", "Height of the picture", {.initial = 512, .min = 1, .max = 16384, .unit = "px"}};
    Param<int>    batch  {this, "batch", "How many pictures", {.initial = 1, .min = 1, .max = 4096}};
    Param<bool>   color  {this, "color", "Draws red, green and blue apart; else gray", {.initial = true}};
    Param<Kind>   kind   {this, "kind", "Even between both ends, or a bell around the middle",
                          {.initial = Kind::Uniform, .names = {"uniform", "gaussian"}}};
    Param<double> mean   {this, "mean", "The middle", {.initial = 0.5, .min = -10, .max = 10, .step = 0.05}};
    Param<double> spread {this, "spread", "Uniform: how far the ends are from the middle; gaussian: the standard deviation",
                          {.initial = 0.5, .min = 0, .max = 10, .step = 0.05}};
    Param<bool>   clamp  {this, "clamp", "Cuts values to 0..1", {.initial = true, .advanced = true}};
    Param<Seed>   seed   {this, "seed", "Another seed, other numbers"};
    Out<Image>    image  {this, "image", "The noise, gray or RGB"};

    void compute(Eval& ev) const override {
        const std::int64_t n = ev[batch], h = ev[height], w = ev[width], c = ev[color] ? 3 : 1;
        const auto each = static_cast<std::size_t>(h * w * c);
        std::vector<float> values(each * static_cast<std::size_t>(n));
        for (std::int64_t i = 0; i < n; ++i) {
            ev.progress(i, n);
            const NoiseAddress address{ev[seed], picture_stream, static_cast<std::uint32_t>(i), 0};
            const auto part = std::span(values).subspan(static_cast<std::size_t>(i) * each, each);
            ev[kind] == Kind::Uniform ? philox_uniform(address, part) : philox_normal(address, part);
        }
        const Tensor unit = from_interleaved(std::move(values), n, h, w, c);
        const Tensor value = ev[kind] == Kind::Uniform ? (unit * 2.0 - 1.0) * ev[spread] + ev[mean] : unit * ev[spread] + ev[mean];
        ev.set(image, evaluated(make_image(ev[clamp] ? gpu::clamp(value, 0, 1) : value)));
    }
};

}  // namespace

REGISTER_NODE(image_noise, ImageNoise)

}  // namespace nodes
