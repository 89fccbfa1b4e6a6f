#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/models/vae/tiles.h"
#include "nodes/types/image.h"
#include "nodes/types/vae.h"

namespace nodes {
namespace {

struct VaeDecode final : Node {
    VaeDecode() : Node({.id = "vae.decode", .version = 1, .title = "Decode", .category = "Encode",
                        .help = "Turns latents into pictures."}) {}

    In<Latent>  latent{this, "latent", "Latents to decode"};
    In<Vae>     vae   {this, "vae", "The autoencoder that they belong to"};
    Param<bool> clamp {this, "clamp", "Cuts values to 0..1, where pictures live", {.initial = true, .advanced = true}};
    Param<Tiles> tiles{this, "tiles", "Works in tiles: when memory does not suffice for the whole, never, or always",
                       {.initial = Tiles::Auto, .names = {"auto", "off", "on"}, .advanced = true}};
    Param<int>  tile  {this, "tile", "Side of a tile", {.initial = 512, .min = 64, .max = 8192, .step = 64, .unit = "px", .advanced = true}};
    Param<int>  overlap{this, "overlap", "How far neighbouring tiles fade into each other",
                        {.initial = 64, .min = 8, .max = 4096, .step = 8, .unit = "px", .advanced = true}};
    Out<Image>  image {this, "image", "The pictures, RGB"};

    void compute(Eval& ev) const override {
        const Autoencoder& model = *ev[vae].model;
        const LatentFormat &have = ev[latent].format, &want = model.format();
        if (!model.can_decode()) ev.fail(vae, "expected an autoencoder with a decoder, got {}", model.summary());
        if (have.channels != want.channels)
            ev.fail(latent, "expected the autoencoder's {} channels, got {}", want.channels, have.channels);
        if (!have.family.empty() && !want.family.empty() && have.family != want.family)
            ev.warn("the latents are those of {}, the autoencoder that of {}: colours will be off", have.family, want.family);
        const Tensor decoded = decode_in_tiles(model, ev[latent].tensor,
                                               {.tiles = ev[tiles], .side = ev[tile], .overlap = ev[overlap],
                                                .progress = [&](auto done, auto total) { ev.progress(done, total); },
                                                .warn = [&](const std::string& message) { ev.warn("{}", message); }});
        ev.set(image, evaluated(make_image(ev[clamp] ? gpu::clamp(decoded, 0, 1) : decoded)));
    }
};

}  // namespace

REGISTER_NODE(vae_decode, VaeDecode)

}  // namespace nodes
