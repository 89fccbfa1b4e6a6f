#include <QStringList>
#include <algorithm>
#include <cmath>

#include "gpu/ops.h"
#include "nodes/codec/sheet_labels.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/number.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    if (!text.empty())
        for (const QString& line : QString::fromStdString(text).split('\n')) lines.push_back(line.toStdString());
    return lines;
}

struct ImageSheet final : Node {
    ImageSheet() : Node({.id = "image.sheet", .version = 1, .title = "Contact Sheet", .category = "Image", .help = "The pictures of a batch in rows and columns, as one picture, with labels where they are given."}) {}

    In<Image>    images    {this, "images", "The pictures"};
    In<double>   across    {this, "across", "Pictures in a row, in place of the parameter; 0: the parameter", {.optional = true}};
    In<std::string> over   {this, "column_labels", "Written above the columns, a line each", {.optional = true}};
    In<std::string> beside {this, "row_labels", "Written to the left of the rows, a line each", {.optional = true}};
    In<std::string> labels {this, "labels", "Written above the pictures, a line each", {.optional = true}};
    Param<int>   columns   {this, "columns", "Pictures in a row; 0: as many as rows", {.initial = 0, .min = 0, .max = 1024}};
    Param<int>   gap       {this, "gap", "Between pictures and around them", {.initial = 2, .min = 0, .max = 256, .unit = "px"}};
    Param<Color> background{this, "background", "Between the pictures", {.initial = "#ffffff"}};
    Param<int>   letters   {this, "letters", "Size of the labels' letters; 0: as the pictures' size suggests", {.initial = 0, .min = 0, .max = 256, .unit = "px"}};
    Out<Image>   sheet     {this, "image", "The sheet"};

    void compute(Eval& ev) const override {
        const Image& from = ev[images];
        const std::int64_t count = from.batch(), channels = from.channels(), h = from.height(), w = from.width(), edge = ev[gap];
        const std::int64_t row = in_row(ev, count), down = (count + row - 1) / row;
        const SheetLayout layout(static_cast<int>(row), static_cast<int>(down), static_cast<int>(w), static_cast<int>(h), static_cast<int>(edge),
                                 {lines_if(ev, over), lines_if(ev, beside), lines_if(ev, labels)}, static_cast<int>(ev[letters]));
        const Tensor colour = color_tensor(ev[background], channels, from.space);                          // [1, C, 1, 1]
        const auto filled = [&](std::int64_t n, std::int64_t height, std::int64_t width) { return gpu::broadcast_to(colour, {n, channels, height, width}); };
        Tensor all = from.tensor;                                                                           // [N, C, h, w]
        if (row * down > count) all = gpu::concat({all, filled(row * down - count, h, w)}, 0);
        if (layout.caption() > 0) all = gpu::concat({filled(row * down, layout.caption(), w), all}, 2);
        const std::int64_t cell_h = layout.caption() + h + edge, cell_w = w + edge, above = layout.top() + edge, left = layout.left() + edge;
        if (edge > 0) {                                                                                     // a gap to the right of and below each
            all = gpu::concat({all, filled(row * down, cell_h - edge, edge)}, 3);
            all = gpu::concat({all, filled(row * down, edge, cell_w)}, 2);
        }
        Tensor made = gpu::reshape(gpu::permute(gpu::reshape(all, {down, row, channels, cell_h, cell_w}), {2, 0, 3, 1, 4}), {1, channels, down * cell_h, row * cell_w});
        if (left > 0) made = gpu::concat({filled(1, down * cell_h, left), made}, 3);
        if (above > 0) made = gpu::concat({filled(1, above, left + row * cell_w), made}, 2);
        if (const std::vector<std::uint8_t> letters_at = layout.coverage(); !letters_at.empty()) {
            std::vector<float> weights(letters_at.size());
            std::ranges::transform(letters_at, weights.begin(), [](std::uint8_t value) { return static_cast<float>(value) / 255.0f; });
            const Tensor weight = from_interleaved(std::move(weights), 1, layout.sheet_height(), layout.sheet_width(), 1);      // [1, 1, H, W]
            made = gpu::lerp(made, color_tensor(readable_on(ev[background]), channels, from.space), weight);
        }
        ev.set(sheet, evaluated(make_image(made, from.space)));
    }

private:
    static std::vector<std::string> lines_if(const Eval& ev, const In<std::string>& input) { return ev.has(input) ? lines_of(ev[input]) : std::vector<std::string>(); }

    // Black or white, whichever differs more (luma of Rec. 709).
    static Color readable_on(const Color& color) {
        const bool dark = 0.2126 * color.red + 0.7152 * color.green + 0.0722 * color.blue < 0.5;
        return dark ? Color{1, 1, 1, 1} : Color{0, 0, 0, 1};
    }

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
