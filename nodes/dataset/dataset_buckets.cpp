#include <algorithm>
#include <cmath>

#include "nodes/core/node.h"
#include "nodes/types/dataset.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

// Sizes of about one area, wide and high: the square, and each width with the largest height that the area leaves (NovelAI's aspect ratio
// bucketing, as kohya-ss/sd-scripts makes them).
std::vector<FrameSize> bucket_sizes(int side, int least, int most, int multiple) {
    std::vector<FrameSize> sizes;
    const auto add = [&](int width, int height) {
        if (std::find(sizes.begin(), sizes.end(), FrameSize{width, height}) == sizes.end()) sizes.push_back({width, height});
    };
    const int square = side / multiple * multiple;
    add(square, square);
    for (int width = (least + multiple - 1) / multiple * multiple; width <= most; width += multiple) {
        const int height = std::min(most, side * side / width) / multiple * multiple;
        if (height < least || height < multiple) continue;
        add(width, height);
        add(height, width);
    }
    return sizes;
}

struct DatasetBuckets final : Node {
    DatasetBuckets() : Node({.id = "dataset.buckets", .version = 1, .title = "Aspect Buckets", .category = "Dataset",
                             .help = "Frames of several sizes and about one area: each picture gets the one whose proportions are nearest to its own, and little of it is cut. "
                                     "Training takes pictures of one size at a time. Replaces the size of the frame and keeps how pictures vary."}) {}

    In<Dataset>  dataset {this, "dataset", "Pictures"};
    Param<int>   side    {this, "side", "Of the square of the same area", {.initial = 512, .min = 8, .max = 4096, .step = 8, .unit = "px"}};
    Param<int>   least   {this, "least", "Shortest side", {.initial = 256, .min = 8, .max = 4096, .step = 8, .unit = "px"}};
    Param<int>   most    {this, "most", "Longest side", {.initial = 1024, .min = 8, .max = 8192, .step = 8, .unit = "px"}};
    Param<int>   multiple{this, "multiple", "Sides are multiples of this: 64 for few buckets, at least what the model's latents need", {.initial = 64, .min = 1, .max = 512, .unit = "px"}};
    Out<Dataset> framed  {this, "dataset", "The same pictures in frames of their own"};
    Out<std::string> sizes{this, "sizes", "Width, height and number of pictures of each bucket, a line each"};

    void compute(Eval& ev) const override {
        if (ev[side] < ev[multiple]) ev.fail(side, "expected at least the multiple, {}, got {}", ev[multiple], ev[side]);
        if (ev[least] > ev[side] || ev[most] < ev[side]) ev.fail(least, "expected sides around {}, got {} to {}", ev[side], ev[least], ev[most]);
        const std::vector<FrameSize> all = bucket_sizes(ev[side], ev[least], ev[most], ev[multiple]);
        Dataset made = ev[dataset];
        auto buckets = std::make_shared<Buckets>();
        buckets->of.resize(static_cast<std::size_t>(made.source->size()));
        std::vector<int> number(all.size(), -1);
        std::vector<std::int64_t> counts;
        for (std::int64_t i = 0; i < made.size(); ++i) {
            ev.progress(i, made.size());
            const std::int64_t item = made.items[static_cast<std::size_t>(i)];
            const auto picture = made.source->picture(item);
            const double aspect = std::log(static_cast<double>(picture->width) / picture->height);
            std::size_t nearest = 0;
            const auto off = [&](std::size_t b) { return std::abs(std::log(static_cast<double>(all[b].width) / all[b].height) - aspect); };
            for (std::size_t b = 1; b < all.size(); ++b)
                if (off(b) < off(nearest) - 1e-12) nearest = b;
            if (number[nearest] < 0) {
                number[nearest] = static_cast<int>(buckets->sizes.size());
                buckets->sizes.push_back(all[nearest]);
                counts.push_back(0);
            }
            buckets->of[static_cast<std::size_t>(item)] = static_cast<std::uint16_t>(number[nearest]);
            ++counts[static_cast<std::size_t>(number[nearest])];
        }
        std::string lines;
        for (std::size_t b = 0; b < counts.size(); ++b)
            lines += gpu::format("{}{} x {}: {}", b ? "\n" : "", buckets->sizes[b].width, buckets->sizes[b].height, counts[b]);
        made.framing.cover = true, made.framing.fill = 1;
        made.framing.width = made.framing.height = ev[side];
        made.buckets = std::move(buckets);
        ev.set(framed, made);
        ev.set(sizes, lines);
    }
};

}  // namespace

REGISTER_NODE(dataset_buckets, DatasetBuckets)

}  // namespace nodes
