// J. Canny, "A computational approach to edge detection" (1986), with the choices of OpenCV's Canny, which control networks were
// trained with: no blur of its own, 3 x 3 Sobel of 8-bit values with the border repeated, of several channels the steepest one,
// |gx| + |gy| as magnitude, directions in four sectors of 45 degrees, thresholds in units of that magnitude.
#include <cmath>
#include <cstdlib>
#include <span>

#include "nodes/preprocess/source.h"

namespace nodes {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Slope {
    int x = 0, y = 0;
    int size = 0;      // |x| + |y|, or x x + y y
};

enum class Norm { Sum, Euclidean };

// pixels [h, w, channels] -> [h, w]
std::vector<Slope> slopes(std::span<const std::uint8_t> pixels, int h, int w, int channels, Norm norm) {
    std::vector<Slope> result(static_cast<std::size_t>(h) * w);
    for (int y = 0; y < h; ++y) {
        const std::uint8_t* const above = pixels.data() + static_cast<std::size_t>(std::max(y - 1, 0)) * w * channels;
        const std::uint8_t* const here = pixels.data() + static_cast<std::size_t>(y) * w * channels;
        const std::uint8_t* const below = pixels.data() + static_cast<std::size_t>(std::min(y + 1, h - 1)) * w * channels;
        for (int x = 0; x < w; ++x) {
            const int l = std::max(x - 1, 0) * channels, m = x * channels, r = std::min(x + 1, w - 1) * channels;
            Slope steepest{0, 0, -1};
            for (int c = 0; c < channels; ++c) {
                Slope s;
                s.x = above[r + c] - above[l + c] + 2 * (here[r + c] - here[l + c]) + below[r + c] - below[l + c];
                s.y = below[l + c] - above[l + c] + 2 * (below[m + c] - above[m + c]) + below[r + c] - above[r + c];
                s.size = norm == Norm::Sum ? std::abs(s.x) + std::abs(s.y) : s.x * s.x + s.y * s.y;
                if (s.size > steepest.size) steepest = s;
            }
            result[static_cast<std::size_t>(y) * w + x] = steepest;
        }
    }
    return result;
}

// Whether this is the highest point across the edge. Of equal neighbours OpenCV keeps the left or upper one, of diagonal ones none.
// Outside the picture everything is 0.
bool is_ridge(const std::vector<Slope>& map, int x, int y, int h, int w) {
    const auto size = [&](int column, int row) {
        return column < 0 || row < 0 || column >= w || row >= h ? 0 : map[static_cast<std::size_t>(row) * w + column].size;
    };
    const Slope& at = map[static_cast<std::size_t>(y) * w + x];
    // tan(22.5 degrees) = sqrt(2) - 1 with 15 binary digits, tan(67.5) = tan(22.5) + 2.
    const std::int64_t ax = std::abs(at.x), ay = std::int64_t(std::abs(at.y)) << 15;
    const std::int64_t flat = ax * 13573, steep = flat + (ax << 16);
    if (ay < flat) return at.size > size(x - 1, y) && at.size >= size(x + 1, y);
    if (ay > steep) return at.size > size(x, y - 1) && at.size >= size(x, y + 1);
    const int side = (at.x ^ at.y) < 0 ? -1 : 1;
    return at.size > size(x - side, y - 1) && at.size > size(x + side, y + 1);
}

// Edges of one picture, 255 on 0: ridges above `high`, and those above `low` that touch one over any path of such.
Bytes edges(std::span<const std::uint8_t> pixels, int h, int w, int channels, double low, double high, Norm norm) {
    const std::vector<Slope> map = slopes(pixels, h, w, channels, norm);
    Bytes result(map.size());
    std::vector<std::size_t> open;
    constexpr std::uint8_t weak = 1, strong = 255;
    for (int y = 0; y < h; ++y)
        for (int x = 0; x < w; ++x) {
            const std::size_t i = static_cast<std::size_t>(y) * w + x;
            if (!(map[i].size > low) || !is_ridge(map, x, y, h, w)) continue;
            result[i] = map[i].size > high ? strong : weak;
            if (result[i] == strong) open.push_back(i);
        }
    while (!open.empty()) {
        const std::size_t i = open.back();
        open.pop_back();
        const int y = static_cast<int>(i / w), x = static_cast<int>(i % w);
        for (int row = std::max(y - 1, 0); row <= std::min(y + 1, h - 1); ++row)
            for (int column = std::max(x - 1, 0); column <= std::min(x + 1, w - 1); ++column) {
                const std::size_t j = static_cast<std::size_t>(row) * w + column;
                if (result[j] != weak) continue;
                result[j] = strong;
                open.push_back(j);
            }
    }
    std::replace(result.begin(), result.end(), weak, std::uint8_t(0));
    return result;
}

struct PreprocessCanny final : Node {
    PreprocessCanny() : Node({.id = "preprocess.canny", .version = 1, .title = "Canny Edges", .category = "Control Pictures",
                              .help = "Thin white edges on black, the same pixels as OpenCV's Canny gives. Thresholds count the Sobel slope of values "
                                      "0 to 255."}) {}

    In<Image>     image{this, "image", "Pictures to look for edges in; transparent parts count as white"};
    Param<double> low  {this, "low", "Slopes from here on are edges where they go on from a strong one", {.initial = 100, .min = 0, .max = 2040, .step = 5, .decimals = 0}};
    Param<double> high {this, "high", "Slopes from here on are strong edges", {.initial = 200, .min = 0, .max = 2040, .step = 5, .decimals = 0}};
    Param<double> sigma{this, "sigma", "Gaussian blur before, against noise; 0 as control networks were trained", {.initial = 0, .min = 0, .max = 32, .step = 0.1, .unit = "px"}};
    Param<Norm>   norm {this, "norm", "Size of a slope: the sum of both directions, or their Euclidean length", {.initial = Norm::Sum, .names = {"sum", "euclidean"}, .advanced = true}};
    Out<Image>    found{this, "image", "The edges, gray"};

    void compute(Eval& ev) const override {
        const Image& source = ev[image];
        Tensor color = source_colors(source);
        if (ev[sigma] > 0) color = gpu::gaussian_blur(color, ev[sigma]);
        const Bytes pixels = to_bytes(color);
        const int h = static_cast<int>(source.height()), w = static_cast<int>(source.width()), c = static_cast<int>(color.size(1));
        // As OpenCV: exchanged where the first is the greater; whole numbers unless lengths are squared.
        double least = std::min(ev[low], ev[high]), strong = std::max(ev[low], ev[high]);
        if (ev[norm] == Norm::Euclidean) least *= least, strong *= strong;
        Bytes all;
        all.reserve(pixels.size() / static_cast<std::size_t>(c));
        const std::size_t one = static_cast<std::size_t>(h) * w * c;
        for (std::int64_t n = 0; n < source.batch(); ++n) {
            ev.progress(n, source.batch());
            const Bytes part = edges(std::span(pixels).subspan(static_cast<std::size_t>(n) * one, one), h, w, c, std::floor(least), std::floor(strong), ev[norm]);
            all.insert(all.end(), part.begin(), part.end());
        }
        ev.set(found, gray_picture(all, source.batch(), h, w));
    }
};

}  // namespace

REGISTER_NODE(preprocess_canny, PreprocessCanny)

}  // namespace nodes
