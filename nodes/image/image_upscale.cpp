#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/models/tiles/tiles.h"
#include "nodes/types/image.h"
#include "nodes/types/upscaler.h"

namespace nodes {
namespace {

struct ImageUpscale final : Node {
    ImageUpscale() : Node({.id = "image.upscale", .version = 1, .title = "Upscale", .category = "Image",
                           .help = "Enlarges pictures by a network, by the network's own factor (image.resize goes on to any size). Alpha "
                                   "is enlarged with a bicubic filter."}) {}

    In<Image>    image   {this, "image", "Pictures to enlarge"};
    In<Upscaler> upscaler{this, "upscaler", "The network"};
    Param<Tiles> tiles   {this, "tiles", "Works in tiles: when memory does not suffice for the whole, never, or always",
                          {.initial = Tiles::Auto, .names = {"auto", "off", "on"}, .advanced = true}};
    Param<int>   tile    {this, "tile", "Side of a tile in the enlarged picture", {.initial = 1024, .min = 64, .max = 16384, .step = 64, .unit = "px", .advanced = true}};
    Param<int>   overlap {this, "overlap", "How far neighbouring tiles fade into each other", {.initial = 128, .min = 8, .max = 4096, .step = 8, .unit = "px", .advanced = true}};
    Out<Image>   enlarged{this, "image", "The larger pictures"};

    void compute(Eval& ev) const override {
        const Image source = in_space(ev[image], ColorSpace::Srgb);
        const UpscaleNetwork& network = *ev[upscaler].network;
        const Image color = widened(source.with(source.color()), 3);
        const Tensor large = in_tiles(color.tensor, {1, network.scale()},
                                      {.tiles = ev[tiles], .side = ev[tile], .overlap = ev[overlap],
                                       .progress = [&](auto done, auto total) { ev.progress(done, total); },
                                       .warn = [&](const std::string& message) { ev.warn("{}", message); }},
                                      "upscale", [&](const Tensor& part) { return gpu::Tensors{network(part)}; })[0];
        Tensor made = gpu::clamp(large, 0, 1);
        if (source.has_alpha())
            made = gpu::concat({made, gpu::clamp(gpu::resize(source.alpha(), large.size(2), large.size(3), gpu::Filter::Bicubic), 0, 1)}, 1);
        ev.set(enlarged, evaluated(in_space(make_image(made, ColorSpace::Srgb), ev[image].space)));
    }
};

}  // namespace

REGISTER_NODE(image_upscale, ImageUpscale)

}  // namespace nodes
