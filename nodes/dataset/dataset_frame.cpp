#include "nodes/core/node.h"
#include "nodes/types/dataset.h"

namespace nodes {
namespace {

enum class Fit { Contain, Cover };

struct DatasetFrame final : Node {
    DatasetFrame() : Node({.id = "dataset.frame", .version = 1, .title = "Frame Pictures", .category = "Dataset",
                           .help = "How each picture becomes one of the wanted size, and how it varies from visit to visit: moved, zoomed, turned, mirrored. Each visit's choices are "
                                   "drawn anew."}) {}

    In<Dataset>   dataset{this, "dataset", "Pictures"};
    Param<int>    width  {this, "width", "Of the frame", {.initial = 64, .min = 8, .max = 4096, .step = 8, .unit = "px"}};
    Param<int>    height {this, "height", "Of the frame", {.initial = 64, .min = 8, .max = 4096, .step = 8, .unit = "px"}};
    Param<Fit>    fit    {this, "fit", "contain: all of the picture; cover: all of the frame, as photographs want it", {.initial = Fit::Contain, .names = {"contain", "cover"}}};
    Param<double> fill   {this, "fill", "Share of the frame that a picture's longer side takes; the shorter one where it covers", {.initial = 0.94, .min = 0.01, .max = 8}};
    Param<double> zoom   {this, "zoom", "Random zoom, up to this factor's exponential either way", {.initial = 0, .min = 0, .max = 2}};
    Param<double> shift  {this, "shift", "Random move to either side, as a share of the frame", {.initial = 0, .min = 0, .max = 1}};
    Param<double> rotate {this, "rotate", "Random turn to either side", {.initial = 0, .min = 0, .max = 180, .unit = "degrees"}};
    Param<double> mirror {this, "mirror", "Chance of a mirrored picture", {.initial = 0, .min = 0, .max = 1}};
    Param<double> recolour{this, "recolour", "Chance of exchanged colour channels, for autoencoders", {.initial = 0, .min = 0, .max = 1}};
    Param<Color>  background{this, "background", "What shows through and around", {.initial = "#ffffff"}};
    Out<Dataset>  framed {this, "dataset", "The same pictures in their frames"};

    void compute(Eval& ev) const override {
        Dataset made = ev[dataset];
        made.buckets = nullptr;
        const Color c = ev[background];
        made.framing = {.width = ev[width], .height = ev[height], .fill = ev[fill], .cover = ev[fit] == Fit::Cover, .zoom = ev[zoom], .shift = ev[shift], .rotate = ev[rotate], .mirror = ev[mirror], .recolour = ev[recolour],
                        .background = {c.red, c.green, c.blue}};
        ev.set(framed, made);
    }
};

}  // namespace

REGISTER_NODE(dataset_frame, DatasetFrame)

}  // namespace nodes
