#include "nodes/preprocess/source.h"

namespace nodes {
namespace {

struct PreprocessColorGrid final : Node {
    PreprocessColorGrid() : Node({.id = "preprocess.color_grid", .version = 1, .title = "Colour Grid", .category = "Control Pictures",
                                  .help = "Large squares of even colour: the palette picture of T2I-Adapter's colour network."}) {}

    In<Image>          image {this, "image", "Pictures; transparent parts count as white"};
    Param<int>         cell  {this, "cell", "Side of a square", {.initial = 64, .min = 1, .max = 1024, .step = 8, .unit = "px"}};
    Param<gpu::Filter> filter{this, "filter", "How a square gets its colour; area is the plain average",
                              {.initial = gpu::Filter::Bicubic, .names = {"nearest", "bilinear", "bicubic", "lanczos", "area"}, .advanced = true}};
    Out<Image>         grid  {this, "image", "The squares, of the picture's size; sides that are no multiple of the cell are divided evenly"};

    void compute(Eval& ev) const override {
        const Image& source = ev[image];
        const auto cells = [&](std::int64_t side) { return std::max<std::int64_t>(1, side / ev[cell]); };
        const Tensor small = gpu::resize(source_colors(source), cells(source.height()), cells(source.width()), ev[filter]);
        ev.set(grid, evaluated(make_image(gpu::clamp(gpu::resize(small, source.height(), source.width(), gpu::Filter::Nearest), 0, 1))));
    }
};

}  // namespace

REGISTER_NODE(preprocess_color_grid, PreprocessColorGrid)

}  // namespace nodes
