#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/vision.h"

namespace nodes {
namespace {

struct VisionEncode final : Node {
    VisionEncode() : Node({.id = "vision.encode", .version = 1, .title = "Encode Picture", .category = "Vision",
                           .help = "Turns pictures into CLIP's embeddings. Colours are taken as sRGB, resized by an antialiased cubic filter and normalised as CLIP was "
                                   "trained."}) {}

    In<Image>        image      {this, "image", "Pictures to look at"};
    In<Vision>       vision     {this, "vision", "The vision tower"};
    Param<VisionFit> fit        {this, "fit", "How pictures become squares: the middle is cut out, borders of the mean colour are added, or sides are stretched",
                                 {.initial = VisionFit::Crop, .names = {"crop", "pad", "stretch"}}};
    Param<Color>     background {this, "background", "What transparent parts are put on", {.initial = "#ffffff", .advanced = true}};
    Out<Tensor>      embedding  {this, "embedding", "[N, P] the projected embedding; the pooled one where the tower has no projection"};
    Out<Tensor>      penultimate{this, "penultimate", "[N, T, D] the states before the last layer, the class token first, without norm"};

    void compute(Eval& ev) const override {
        const Image rgb = widened(flattened(in_space(ev[image], ColorSpace::Srgb), ev[background]), 3);
        const VisionTower& tower = *ev[vision].tower;
        const VisionStates states = tower(tower.pixels(gpu::clamp(rgb.tensor, 0, 1), ev[fit]));
        const Tensor seen = states.projected ? states.projected : states.pooled;
        gpu::evaluate({seen, states.penultimate});
        ev.set(embedding, seen);
        ev.set(penultimate, states.penultimate);
    }
};

}  // namespace

REGISTER_NODE(vision_encode, VisionEncode)

}  // namespace nodes
