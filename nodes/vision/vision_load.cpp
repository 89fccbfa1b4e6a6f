#include "nodes/core/node.h"
#include "nodes/models/clip/load.h"

namespace nodes {
namespace {

enum class Activation { Auto, QuickGelu, Gelu };

struct VisionLoad final : Node {
    VisionLoad() : Node({.id = "vision.load", .version = 1, .title = "Load Vision Tower", .category = "Vision",
                         .help = "Reads CLIP's vision transformer from a file of its own, a whole CLIP model or a checkpoint, in OpenCLIP's or Hugging Face's layout: "
                                 "what IP-Adapter and its kin read pictures with."}) {}

    Param<FilePath>   file      {this, "file", "The weights", {.filter = "Weights (*.safetensors *.pth *.pt *.bin *.ckpt *.gguf);;All files (*)"}};
    Param<int>        heads     {this, "heads", "Attention heads; 0: by config.json beside the file, else 16 for H and bigG, else one for 64 channels",
                                 {.initial = 0, .min = 0, .max = 256, .advanced = true}};
    Param<Activation> activation{this, "activation", "Auto: by config.json beside the file, else quick_gelu up to ViT-L and gelu above",
                                 {.initial = Activation::Auto, .names = {"auto", "quick_gelu", "gelu"}, .advanced = true}};
    Out<Vision>       vision    {this, "vision", "The vision tower"};

    void compute(Eval& ev) const override {
        ClipVisionHints hints{.heads = ev[heads]};
        if (ev[activation] != Activation::Auto) hints.activation = ev[activation] == Activation::Gelu ? ClipActivation::Gelu : ClipActivation::QuickGelu;
        const gpu::Checkpoint open = gpu::open_checkpoint(ev[file].path);
        ev.set(vision, make_vision(std::span(&open, 1), hints));
    }
};

}  // namespace

REGISTER_NODE(vision_load, VisionLoad)

}  // namespace nodes
