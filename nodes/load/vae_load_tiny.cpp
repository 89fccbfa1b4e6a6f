#include "nodes/core/node.h"
#include "nodes/models/taesd/taesd.h"
#include "nodes/types/vae.h"

namespace nodes {
namespace {

enum class Family { Auto, Sd1, Sdxl, Sd3, Flux, Flux2 };

struct VaeLoadTiny final : Node {
    VaeLoadTiny() : Node({.id = "vae.load_tiny", .version = 1, .title = "Load Tiny Autoencoder", .category = "Load",
                          .help = "Reads a TAESD autoencoder: its two files, or one file that holds both halves, in the original "
                                  "or in diffusers' layout. Latent channels and variant are read off the weights."}) {}

    Param<FilePath> encoder{this, "encoder", "Encoder, or a file with both halves",
                            {.filter = "Weights (*.safetensors *.pth *.pt *.bin *.ckpt);;All files (*)", .required = false}};
    Param<FilePath> decoder{this, "decoder", "Decoder; empty where the other file holds both halves or nothing is decoded",
                            {.filter = "Weights (*.safetensors *.pth *.pt *.bin *.ckpt);;All files (*)", .required = false}};
    Param<Family>   family {this, "family", "Whose latents these are; auto goes by the files' names and the number of channels",
                            {.initial = Family::Auto, .names = {"auto", "sd1", "sdxl", "sd3", "flux", "flux2"}, .advanced = true}};
    Out<Vae>        vae    {this, "vae", "The autoencoder"};

    void compute(Eval& ev) const override {
        if (ev[encoder].empty() && ev[decoder].empty())
            ev.fail(encoder, "expected an encoder file, a decoder file or both, got none");
        const std::string name = ev[family] == Family::Auto ? "" : params()[family.index()].choices[static_cast<int>(ev[family])];
        ev.set(vae, load_taesd(ev[encoder].path, ev[decoder].path, name));
    }
};

}  // namespace

REGISTER_NODE(vae_load_tiny, VaeLoadTiny)

}  // namespace nodes
