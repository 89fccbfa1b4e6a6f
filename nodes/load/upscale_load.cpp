#include "nodes/core/node.h"
#include "nodes/models/upscale/load.h"

namespace nodes {
namespace {

struct UpscaleLoad final : Node {
    UpscaleLoad() : Node({.id = "upscale.load", .version = 1, .title = "Load Upscaler", .category = "Load",
                          .help = "Reads a network that enlarges pictures: ESRGAN and Real-ESRGAN in all their layouts, and Real-ESRGAN's "
                                  "compact networks. Scale and sizes are read off the weights."}) {}

    Param<FilePath> file    {this, "file", "The upscaler's weights", {.filter = "Weights (*.safetensors *.pth *.pt);;All files (*)"}};
    Out<Upscaler>   upscaler{this, "upscaler", "The network"};

    void compute(Eval& ev) const override { ev.set(upscaler, load_upscaler(ev[file].path)); }
};

}  // namespace

REGISTER_NODE(upscale_load, UpscaleLoad)

}  // namespace nodes
