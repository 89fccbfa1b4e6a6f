// Line thinning: T. Y. Zhang and C. Y. Suen, "A fast parallel algorithm for thinning digital patterns" (1984), and Z. Guo and R. W. Hall,
// "Parallel thinning with two-subiteration algorithms" (1989). Both peel off border pixels in two alternating passes, in each of which all
// pixels are judged by what the pass before left, until nothing changes.
#include "nodes/preprocess/source.h"

namespace nodes {
namespace {

enum class Method { ZhangSuen, GuoHall };

// Whether a pass takes the pixel away. p[0..7]: neighbours from the one above on, clockwise (P2 ... P9 of the papers).
bool peeled(Method method, bool second, const std::uint8_t* p) {
    if (method == Method::ZhangSuen) {
        int count = 0, rises = 0;
        for (int i = 0; i < 8; ++i) {
            count += p[i];
            rises += !p[i] && p[(i + 1) % 8];
        }
        if (count < 2 || count > 6 || rises != 1) return false;
        return second ? !(p[0] && p[2] && p[6]) && !(p[0] && p[4] && p[6]) : !(p[0] && p[2] && p[4]) && !(p[2] && p[4] && p[6]);
    }
    const int parts = (!p[0] && (p[1] || p[2])) + (!p[2] && (p[3] || p[4])) + (!p[4] && (p[5] || p[6])) + (!p[6] && (p[7] || p[0]));
    const int ahead = (p[7] || p[0]) + (p[1] || p[2]) + (p[3] || p[4]) + (p[5] || p[6]);
    const int behind = (p[0] || p[1]) + (p[2] || p[3]) + (p[4] || p[5]) + (p[6] || p[7]);
    const int least = std::min(ahead, behind);
    // The paper's even pass comes first, as in OpenCV, which counts from 0.
    const bool keep = second ? (p[0] || p[1] || !p[3]) && p[2] : (p[4] || p[5] || !p[7]) && p[6];
    return parts == 1 && least >= 2 && least <= 3 && !keep;
}

// `on` [h, w] of 0 and 1, thinned in place. Pixels outside count as 0, and those of the border are judged as all others.
void thin(std::vector<std::uint8_t>& on, int h, int w, Method method, Eval& ev) {
    // A rim of zeros, so that every pixel has eight neighbours.
    const int row = w + 2;
    std::vector<std::uint8_t> map(static_cast<std::size_t>(h + 2) * row);
    std::vector<std::size_t> left, gone;
    for (int y = 0; y < h; ++y)
        for (int x = 0; x < w; ++x)
            if (on[static_cast<std::size_t>(y) * w + x]) {
                const std::size_t at = static_cast<std::size_t>(y + 1) * row + x + 1;
                map[at] = 1;
                left.push_back(at);
            }
    const std::ptrdiff_t around[8] = {-row, -row + 1, 1, row + 1, row, row - 1, -1, -row - 1};
    for (bool changed = true; changed;) {
        changed = false;
        for (const bool second : {false, true}) {
            ev.check_cancelled();
            gone.clear();
            for (const std::size_t at : left) {
                std::uint8_t p[8];
                for (int i = 0; i < 8; ++i) p[i] = map[static_cast<std::size_t>(static_cast<std::ptrdiff_t>(at) + around[i])];
                if (peeled(method, second, p)) gone.push_back(at);
            }
            for (const std::size_t at : gone) map[at] = 0;
            if (!gone.empty()) {
                changed = true;
                std::erase_if(left, [&](std::size_t at) { return !map[at]; });
            }
        }
    }
    for (int y = 0; y < h; ++y)
        for (int x = 0; x < w; ++x) on[static_cast<std::size_t>(y) * w + x] = map[static_cast<std::size_t>(y + 1) * row + x + 1];
}

struct PreprocessThin final : Node {
    PreprocessThin() : Node({.id = "preprocess.thin", .version = 1, .title = "Thin Lines", .category = "Control Pictures",
                             .help = "Thins white strokes to lines one pixel wide that keep their connections."}) {}

    In<Image>     image    {this, "image", "Pictures with white strokes on black; transparent parts count as white"};
    Param<Method> method   {this, "method", "Which of the two classic algorithms; Guo and Hall's keeps fewer corners of two pixels",
                            {.initial = Method::ZhangSuen, .names = {"zhang-suen", "guo-hall"}}};
    Param<double> threshold{this, "threshold", "Brightness from which a pixel belongs to a stroke", {.initial = 0.5, .min = 0, .max = 1, .step = 0.05}};
    Param<bool>   dark     {this, "dark", "The strokes are dark on white instead", {.initial = false}};
    Out<Image>    thinned  {this, "image", "The lines, white on black, gray"};

    void compute(Eval& ev) const override {
        const Image& source = ev[image];
        const int h = static_cast<int>(source.height()), w = static_cast<int>(source.width());
        const std::vector<float> gray = to_interleaved(source_gray(source));
        std::vector<float> all(gray.size());
        std::vector<std::uint8_t> on(static_cast<std::size_t>(h) * w);
        const float limit = static_cast<float>(ev[threshold]);
        const bool dark_strokes = ev[dark];
        for (std::int64_t n = 0; n < source.batch(); ++n) {
            ev.progress(n, source.batch());
            const std::size_t first = static_cast<std::size_t>(n) * on.size();
            for (std::size_t i = 0; i < on.size(); ++i) on[i] = (gray[first + i] >= limit) != dark_strokes;
            thin(on, h, w, ev[method], ev);
            std::copy(on.begin(), on.end(), all.begin() + static_cast<std::ptrdiff_t>(first));
        }
        ev.set(thinned, make_image(from_interleaved(std::move(all), source.batch(), h, w, 1)));
    }
};

}  // namespace

REGISTER_NODE(preprocess_thin, PreprocessThin)

}  // namespace nodes
