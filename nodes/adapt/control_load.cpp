#include "nodes/core/node.h"
#include "nodes/models/controlnet/controlnet.h"

namespace nodes {
namespace {

struct ControlLoad final : Node {
    ControlLoad() : Node({.id = "control.load", .version = 1, .title = "Load Control Network", .category = "Adapt",
                          .help = "Reads a ControlNet (ldm's or diffusers' layout, alone or in a checkpoint, as a difference, or as a Control-LoRA) or a "
                                  "T2I-Adapter. Sizes are read off the weights."}) {}

    Param<FilePath> file   {this, "file", "The side network", {.filter = "Weights (*.safetensors *.pth *.pt *.bin *.ckpt *.gguf);;All files (*)"}};
    Param<int>      heads  {this, "heads", "Attention heads at every level of a ControlNet; 0: those of the model that it steers",
                            {.initial = 0, .min = 0, .max = 64, .advanced = true}};
    Out<Control>    control{this, "control", "The side network"};

    void compute(Eval& ev) const override {
        UnetHints hints;
        if (ev[heads] > 0) hints.heads = {ev[heads]};
        try {
            ev.set(control, load_control(ev[file].path, hints));
        } catch (const gpu::Error& error) {
            ev.fail(file, error.code(), "{}", error.what());
        }
    }
};

}  // namespace

REGISTER_NODE(control_load, ControlLoad)

}  // namespace nodes
