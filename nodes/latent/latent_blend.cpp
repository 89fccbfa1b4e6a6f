#include "gpu/run/evaluate.h"
#include "nodes/latent/cells.h"
#include "nodes/latent/slerp.h"

namespace nodes {
namespace {

enum class Mode { Linear, Direction, Slerp };

struct LatentBlend final : Node {
    LatentBlend() : Node({.id = "latent.blend", .version = 1, .title = "Blend Latents", .category = "Latent",
                          .help = "Mixes two latents of the same size."}) {}

    In<Latent>    a     {this, "a", "First latents"};
    In<Latent>    b     {this, "b", "Second latents; one serves all of the first"};
    Param<double> factor{this, "factor", "Share of the second: 0 gives the first alone, 1 the second", {.initial = 0.5, .min = 0, .max = 1, .step = 0.05}};
    Param<Mode>   mode  {this, "mode", "Linear mixes numbers, which lowers contrast; direction mixes where each cell's vector of channels points to, and "
                                       "lengths apart; slerp turns one vector into the other at an even pace",
                         {.initial = Mode::Linear, .names = {"linear", "direction", "slerp"}}};
    Out<Latent>   latent{this, "latent", "The mixture"};

    void compute(Eval& ev) const override {
        const Latent &first = ev[a], &second = ev[b];
        check_same_kind(ev, b, second, first);
        const Tensor x = first.tensor, y = as_batch(second.tensor, first.batch());
        const double t = ev[factor];
        ev.set(latent, evaluated(first.with(ev[mode] == Mode::Linear ? gpu::lerp(x, y, t) : ev[mode] == Mode::Direction ? direction(x, y, t) : turned(x, y, t))));
    }

    static Tensor direction(const Tensor& x, const Tensor& y, double t) {
        const auto length = [](const Tensor& v) { return gpu::sqrt(gpu::sum(gpu::square(v), {1})); };      // [N, 1, h, w]
        const auto unit = [](const Tensor& v, const Tensor& size) { return v / gpu::maximum(size, 1e-12); };
        const Tensor lx = length(x), ly = length(y);
        const Tensor mixed = gpu::lerp(unit(x, lx), unit(y, ly), t);
        return unit(mixed, length(mixed)) * gpu::lerp(lx, ly, t);
    }

    static Tensor turned(const Tensor& x, const Tensor& y, double t) {
        const std::vector<float> from = gpu::to_floats(x), to = gpu::to_floats(y);
        const auto channels = static_cast<std::size_t>(x.size(1)), plane = static_cast<std::size_t>(x.size(2) * x.size(3));
        std::vector<float> result(from.size());
        for (std::size_t n = 0; n < static_cast<std::size_t>(x.size(0)); ++n)
            for (std::size_t i = 0; i < plane; ++i) {
                const std::size_t at = n * channels * plane + i;
                slerp(from.data() + at, to.data() + at, channels, plane, t, result.data() + at, plane);
            }
        return gpu::tensor(result, x.shape());
    }
};

}  // namespace

REGISTER_NODE(latent_blend, LatentBlend)

}  // namespace nodes
