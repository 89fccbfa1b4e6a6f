#include "nodes/core/node.h"
#include "nodes/models/vae/load.h"

namespace nodes {
namespace {

enum class Family { Auto, Sd1, Sdxl, Sd3, Flux, Flux2 };

struct VaeLoad final : Node {
    VaeLoad() : Node({.id = "vae.load", .version = 1, .title = "Load Autoencoder", .category = "Load",
                      .help = "Reads an autoencoder from a file of its own or from a whole checkpoint, in ldm's or diffusers' layout: the KL "
                              "autoencoders of SD 1.x, 2.x, SDXL, SD 3 and Flux, VQGAN and other VQ models, tiny ones with both halves in one "
                              "file. All sizes are read off the weights."}) {}

    Param<FilePath> file  {this, "file", "The weights", {.filter = "Weights (*.safetensors *.pth *.pt *.bin *.ckpt *.gguf);;All files (*)"}};
    Param<Family>   family{this, "family", "Whose latents these are, which decides their scale; auto goes by the config.json beside the file, the "
                                           "checkpoint around it, the file's name and the number of channels",
                           {.initial = Family::Auto, .names = {"auto", "sd1", "sdxl", "sd3", "flux", "flux2"}, .advanced = true}};
    Out<Vae>        vae   {this, "vae", "The autoencoder"};

    void compute(Eval& ev) const override {
        const std::string name = ev[family] == Family::Auto ? "" : params()[family.index()].choices[static_cast<std::size_t>(ev[family])];
        ev.set(vae, load_vae(ev[file].path, name));
    }
};

}  // namespace

REGISTER_NODE(vae_load, VaeLoad)

}  // namespace nodes
