#include <cmath>

#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/number.h"

namespace nodes {
namespace {

struct ImageSheet final : Node {
    ImageSheet() : Node({.id = "image.sheet", .version = 1, .title = "Contact Sheet", .category = "Image", .help = "The pictures of a batch in rows and columns, as one picture."}) {}

    In<Image>    images    {this, "images", "The pictures"};
    In<double>   across    {this, "across", "Pictures in a row, in place of the parameter; 0: the parameter", {.optional = true}};
    Param<int>   columns   {this, "columns", "Pictures in a row; 0: as many as rows", {.initial = 0, .min = 0, .max = 1024}};
    Param<int>   gap       {this, "gap", "Between pictures and around them", {.initial = 2, .min = 0, .max = 256, .unit = "px"}};
    Param<Color> background{this, "background", "Between the pictures", {.initial = "#ffffff"}};
    Out<Image>   sheet     {this, "image", "The sheet"};

    void compute(Eval& ev) const override {
        const Image& from = ev[images];
        const std::int64_t count = from.batch(), channels = from.channels(), h = from.height(), w = from.width(), edge = ev[gap];
        const std::int64_t row = in_row(ev, count), down = (count + row - 1) / row;
        const Tensor colour = color_tensor(ev[background], channels, from.space);                          // [1, C, 1, 1]
        const auto filled = [&](std::int64_t n, std::int64_t height, std::int64_t width) { return gpu::broadcast_to(colour, {n, channels, height, width}); };
        Tensor all = from.tensor;                                                                           // [N, C, h, w]
        if (row * down > count) all = gpu::concat({all, filled(row * down - count, h, w)}, 0);
        if (edge > 0) {                                                                                     // a gap to the right of and below each
            all = gpu::concat({all, filled(row * down, h, edge)}, 3);
            all = gpu::concat({all, filled(row * down, edge, w + edge)}, 2);
        }
        const std::int64_t cell_h = h + edge, cell_w = w + edge;
        Tensor made = gpu::reshape(gpu::permute(gpu::reshape(all, {down, row, channels, cell_h, cell_w}), {2, 0, 3, 1, 4}), {1, channels, down * cell_h, row * cell_w});
        if (edge > 0) {
            made = gpu::concat({filled(1, down * cell_h, edge), made}, 3);
            made = gpu::concat({filled(1, edge, row * cell_w + edge), made}, 2);
        }
        ev.set(sheet, evaluated(make_image(made, from.space)));
    }

private:
    std::int64_t in_row(const Eval& ev, std::int64_t count) const {
        const double given = ev.has(across) ? ev[across] : 0;
        if (!(given >= 0 && given <= 1024)) ev.fail(across, "expected 0 to 1024 pictures in a row, got {}", given);
        if (given >= 1) return std::min(static_cast<std::int64_t>(given), count);
        return ev[columns] > 0 ? std::min<std::int64_t>(ev[columns], count) : static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
    }
};

}  // namespace

REGISTER_NODE(image_sheet, ImageSheet)

}  // namespace nodes
