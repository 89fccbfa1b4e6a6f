#include <array>
#include <cmath>
#include <numbers>

#include "gpu/ops.h"
#include "nodes/core/direct_edit.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"

namespace nodes {
namespace {

enum class Mirror { None, Horizontal, Vertical };
enum class Canvas { Keep, Grow };

constexpr std::int64_t most_side = 16384;

// A turn by `degrees`, clockwise as rows run down, and back.
struct Turn {
    double cos, sin;
    explicit Turn(double degrees) : cos(std::cos(degrees * std::numbers::pi / 180)), sin(std::sin(degrees * std::numbers::pi / 180)) {}
    // From the result to the source, both seen from their centres.
    std::array<double, 2> back(double x, double y) const { return {cos * x + sin * y, cos * y - sin * x}; }
};

// Which pixels of the source each one of the result is made of: its four neighbours there, by how near they are. What lies outside counts 0.
struct Neighbours {
    std::array<std::vector<std::int32_t>, 4> ids;
    std::array<std::vector<float>, 4> shares;
};

// Quarter turns and whole steps hit pixels exactly; the sine of 180 degrees is not quite 0.
double snapped(double at) { return std::abs(at - std::round(at)) < 1e-6 ? std::round(at) : at; }

struct ImageTransform final : Node, DirectlyEdited {
    ImageTransform() : Node({.id = "image.transform", .version = 1, .title = "Transform", .category = "Image",
                             .help = "Mirrors, scales, turns and moves pictures, in this order and about their centre. Transparent parts do not bleed into visible "
                                     "ones, quarter turns and whole pixels change no value."}) {}

    In<Image>     image     {this, "image", "Pictures"};
    Param<Mirror> mirror    {this, "mirror", "horizontal: left and right change places; vertical: top and bottom",
                             {.initial = Mirror::None, .names = {"none", "horizontal", "vertical"}}};
    Param<double> scale     {this, "scale", "Factor for both sides of what is shown", {.initial = 1, .min = 0.01, .max = 100, .step = 0.05}};
    Param<double> angle     {this, "angle", "Turned clockwise by this", {.initial = 0, .min = -360, .max = 360, .step = 1, .unit = "degrees"}};
    Param<double> x         {this, "x", "Moved to the right", {.initial = 0, .min = -most_side, .max = most_side, .step = 1, .unit = "px"}};
    Param<double> y         {this, "y", "Moved down", {.initial = 0, .min = -most_side, .max = most_side, .step = 1, .unit = "px"}};
    Param<Canvas> canvas    {this, "canvas", "keep: the size stays, and what stands over is cut; grow: as large as the scaled and turned picture, which is then moved",
                             {.initial = Canvas::Keep, .names = {"keep", "grow"}}};
    Param<Color>  background{this, "background", "What shows where no picture is; see-through colours give the result an alpha", {.initial = "#00000000"}};
    Out<Image>    moved     {this, "image", "Transformed pictures"};

    void compute(Eval& ev) const override {
        const Image& source = ev[image];
        Tensor pixels = premultiplied(widened(source, 4));                                          // [N, 4, H, W]
        const double factor = ev[scale];
        const std::int64_t h = scaled(ev, source.height(), factor), w = scaled(ev, source.width(), factor);
        if (h != source.height() || w != source.width()) pixels = gpu::resize(pixels, h, w, gpu::Filter::Bicubic, true);
        const Turn turn(ev[angle]);
        const auto grown = [&](double along, double across) { return static_cast<std::int64_t>(std::ceil(snapped(std::abs(turn.cos) * along + std::abs(turn.sin) * across))); };
        const bool grows = ev[canvas] == Canvas::Grow;
        const std::int64_t width = grows ? grown(double(w), double(h)) : source.width(), height = grows ? grown(double(h), double(w)) : source.height();
        if (width > most_side || height > most_side) ev.fail(image, "expected sides of at most {} px, got {} x {}", most_side, width, height);
        const Neighbours near = neighbours(ev, turn, w, h, width, height);
        const Tensor flat = gpu::reshape(pixels, {pixels.size(0), 4, h * w});
        Tensor sum;
        for (std::size_t corner = 0; corner < near.ids.size(); ++corner) {
            const Tensor ids = gpu::tensor_i32(near.ids[corner], {width * height}), share = gpu::tensor(near.shares[corner], {1, 1, width * height});
            const Tensor part = gpu::take(flat, ids, 2) * share;                                    // [N, 4, width * height]
            sum = sum ? sum + part : part;
        }
        const Image made = from_premultiplied(gpu::reshape(sum, {pixels.size(0), 4, height, width}), source.space);
        ev.set(moved, evaluated(over(made, ev[background])));
    }

    std::vector<DirectEdit> direct_edits() const override { return {TransformEdit{.picture = "image"}}; }

private:
    std::int64_t scaled(Eval& ev, std::int64_t side, double factor) const {
        const std::int64_t length = std::max<std::int64_t>(1, std::llround(static_cast<double>(side) * factor));
        if (length > most_side) ev.fail(scale, "expected sides of at most {} px, got {}", most_side, length);
        return length;
    }

    Neighbours neighbours(Eval& ev, const Turn& turn, std::int64_t w, std::int64_t h, std::int64_t width, std::int64_t height) const {
        const bool across = ev[mirror] == Mirror::Horizontal, down = ev[mirror] == Mirror::Vertical;
        Neighbours near;
        for (std::size_t corner = 0; corner < 4; ++corner) {
            near.ids[corner].reserve(static_cast<std::size_t>(width * height));
            near.shares[corner].reserve(static_cast<std::size_t>(width * height));
        }
        for (std::int64_t row = 0; row < height; ++row)
            for (std::int64_t column = 0; column < width; ++column) {
                const auto [dx, dy] = turn.back(double(column) + 0.5 - double(width) / 2 - ev[x], double(row) + 0.5 - double(height) / 2 - ev[y]);
                const double sx = snapped((across ? -dx : dx) + double(w) / 2 - 0.5), sy = snapped((down ? -dy : dy) + double(h) / 2 - 0.5);
                const double left = std::floor(sx), top = std::floor(sy);
                for (std::size_t corner = 0; corner < 4; ++corner) {
                    const double cx = left + double(corner % 2), cy = top + double(corner / 2);
                    const bool inside = cx >= 0 && cy >= 0 && cx < double(w) && cy < double(h);
                    near.ids[corner].push_back(inside ? static_cast<std::int32_t>(cy * double(w) + cx) : 0);
                    near.shares[corner].push_back(inside ? static_cast<float>((1 - std::abs(sx - cx)) * (1 - std::abs(sy - cy))) : 0.0f);
                }
            }
        return near;
    }

    static Image over(const Image& made, const Color& colour) {
        if (colour.alpha == 0) return made;
        if (colour.alpha == 1) return flattened(made, colour);
        const Tensor under = color_tensor(colour, 4, made.space), alpha = gpu::slice(under, 1, 3, 4);
        const Tensor colours = gpu::concat({gpu::slice(under, 1, 0, 3) * alpha, alpha}, 1);          // [1, 4, 1, 1], premultiplied
        return from_premultiplied(premultiplied(made) + colours * (1.0 - made.alpha()), made.space);
    }
};

}  // namespace

REGISTER_NODE(image_transform, ImageTransform)

}  // namespace nodes
