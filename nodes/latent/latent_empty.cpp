#include "nodes/latent/cells.h"
#include "nodes/types/conditioning.h"
#include "nodes/types/model.h"

namespace nodes {
namespace {

enum class Family { Sd1, Sdxl, Sd3, Flux };

struct LatentEmpty final : Node {
    LatentEmpty() : Node({.id = "latent.empty", .version = 1, .title = "Empty Latent", .category = "Latent",
                          .help = "Latents of zeros: where sampling from noise alone starts."}) {}

    In<Model>     model {this, "model", "Whose latents they are; the family below when nothing is connected", {.optional = true}};
    In<Conditioning> prompts{this, "prompts", "As many latents as this has prompts, times the batch", {.optional = true}};
    Param<int>    width {this, "width", "Width of the picture, rounded to whole latent cells", {.initial = 512, .min = 8, .max = 16384, .step = 8, .unit = "px"}};
    Param<int>    height{this, "height", "Height of the picture, rounded to whole latent cells", {.initial = 512, .min = 8, .max = 16384, .step = 8, .unit = "px"}};
    Param<int>    batch {this, "batch", "How many", {.initial = 1, .min = 1, .max = 4096}};
    Param<Family> family{this, "family", "Whose latents they are; sd1 serves SD 1.x and 2.x", {.initial = Family::Sd1, .names = {"sd1", "sdxl", "sd3", "flux"}}};
    Out<Latent>   latent{this, "latent", "The latents"};

    void compute(Eval& ev) const override {
        const LatentFormat format = ev.has(model) ? ev[model].info().latent : chosen(ev);
        const std::int64_t count = (ev.has(prompts) ? prompt_count(ev[prompts]) : 1) * ev[batch];
        ev.set(latent, evaluated(make_latent(gpu::zeros({count, format.channels, cells(ev[height], format), cells(ev[width], format)}), format)));
    }

private:
    LatentFormat chosen(Eval& ev) const {
        const bool wide = ev[family] == Family::Sd3 || ev[family] == Family::Flux;
        return latent_format(params()[static_cast<std::size_t>(family.index())].choices[static_cast<std::size_t>(ev[family])], wide ? 16 : 4);
    }
};

}  // namespace

REGISTER_NODE(latent_empty, LatentEmpty)

}  // namespace nodes
