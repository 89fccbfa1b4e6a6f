#include <cmath>
#include <limits>
#include <span>

#include "nodes/preprocess/source.h"

namespace nodes {
namespace {

enum class Meaning { Nearness, Distance, Metric };

struct PreprocessDepth final : Node {
    PreprocessDepth() : Node({.id = "preprocess.depth", .version = 1, .title = "Depth Picture", .category = "Control Pictures",
                              .help = "Turns measured or rendered depth into what depth networks take: near white, far black, from 0 to 1. Load depth with Load Image: "
                                      "PNG or TIFF of 16 bits, OpenEXR."}) {}

    In<Image>      image  {this, "image", "Depth pictures, whose numbers are taken as they are; of colours the mean, or the first channel"};
    Param<Meaning> meaning{this, "meaning", "What a number is. Nearness: greater is nearer, as disparity and MiDaS. Distance: greater is farther. Metric: a distance "
                                            "whose inverse is shown, as networks trained with MiDaS expect for metres",
                           {.initial = Meaning::Nearness, .names = {"nearness", "distance", "metric"}}};
    Param<bool>    first  {this, "first", "Takes the first channel alone: red, or Z of OpenEXR", {.initial = false, .advanced = true}};
    Param<bool>    holes  {this, "holes", "Zeros are holes without a measurement, shown black and left out of the range", {.initial = false}};
    Param<double>  far    {this, "far", "Per cent of the pixels that become black at the far end", {.initial = 0, .min = 0, .max = 49, .step = 0.5, .unit = "%"}};
    Param<double>  near   {this, "near", "Per cent of the pixels that become white at the near end", {.initial = 0, .min = 0, .max = 49, .step = 0.5, .unit = "%"}};
    Param<double>  gamma  {this, "gamma", "Exponent of the result", {.initial = 1, .min = 0.05, .max = 10, .step = 0.05, .advanced = true}};
    Out<Image>     depth  {this, "image", "Gray, near white; infinite and undefined values count as holes"};

    void compute(Eval& ev) const override {
        const Image& source = ev[image];
        Tensor color = source.color();
        if (color.size(1) > 1) color = ev[first] ? gpu::slice(color, 1, 0, 1) : gpu::mean(color, {1});
        std::vector<float> values = to_interleaved(color);      // [N, H, W, 1]
        const std::size_t one = static_cast<std::size_t>(source.height() * source.width());
        for (std::size_t start = 0; start < values.size(); start += one) normalise(ev, std::span(values).subspan(start, one));
        ev.set(depth, make_image(from_interleaved(std::move(values), source.batch(), source.height(), source.width(), 1)));
    }

    // One picture, each for itself: greater is nearer, then the range to 0..1.
    void normalise(Eval& ev, std::span<float> values) const {
        constexpr float hole = -std::numeric_limits<float>::infinity();
        const Meaning kind = ev[meaning];
        const bool zeros = ev[holes];
        std::vector<float> known;
        for (float& v : values) {
            if (!std::isfinite(v) || (zeros && v == 0) || (kind == Meaning::Metric && !(v > 0))) {
                v = hole;
                continue;
            }
            v = kind == Meaning::Nearness ? v : kind == Meaning::Distance ? -v : 1 / v;
            known.push_back(v);
        }
        if (known.empty()) ev.fail(image, "expected depth values, got only holes in {} pixels", values.size());
        const auto ranked = [&](double share) {      // the value at that share of the way from least to greatest
            const auto at = known.begin() + static_cast<std::ptrdiff_t>(std::llround(share * double(known.size() - 1)));
            std::nth_element(known.begin(), at, known.end());
            return double(*at);
        };
        const double low = ranked(ev[far] / 100), high = ranked(1 - ev[near] / 100), power = ev[gamma];
        if (!(high > low)) ev.warn("expected different depths, got {} everywhere in the range: the picture is flat", low);
        for (float& v : values) {
            const double share = v == hole || !(high > low) ? 0 : std::clamp((double(v) - low) / (high - low), 0.0, 1.0);
            v = static_cast<float>(power == 1 ? share : std::pow(share, power));
        }
    }
};

}  // namespace

REGISTER_NODE(preprocess_depth, PreprocessDepth)

}  // namespace nodes
