#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/types/dataset.h"
#include "nodes/types/image.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

// Pictures of several sizes in the middle of one that holds them all, over the background.
Tensor beside_each_other(const Dataset& from, const std::vector<Visit>& visits, bool vary, std::uint64_t seed) {
    std::int64_t width = 0, height = 0;
    for (const Visit& visit : visits) {
        const Framing f = from.framing_of(visit.item);
        width = std::max<std::int64_t>(width, f.width), height = std::max<std::int64_t>(height, f.height);
    }
    std::vector<float> values(visits.size() * 3 * static_cast<std::size_t>(width * height));
    for (std::size_t n = 0; n < visits.size(); ++n) {
        const Framing f = from.framing_of(visits[n].item);
        const std::vector<float> own = gpu::to_floats(vary ? from.pictures(std::span(&visits[n], 1), seed) : from.pictures(std::span(&visits[n].item, 1)));
        for (std::int64_t c = 0; c < 3; ++c)
            for (std::int64_t y = 0; y < height; ++y)
                for (std::int64_t x = 0; x < width; ++x) {
                    const std::int64_t sx = x - (width - f.width) / 2, sy = y - (height - f.height) / 2;
                    const bool inside = sx >= 0 && sy >= 0 && sx < f.width && sy < f.height;
                    values[static_cast<std::size_t>(((static_cast<std::int64_t>(n) * 3 + c) * height + y) * width + x)] =
                        inside ? own[static_cast<std::size_t>((c * f.height + sy) * f.width + sx)] : f.background[c];
                }
    }
    return gpu::tensor(values, {static_cast<std::int64_t>(visits.size()), 3, height, width});
}

struct DatasetPictures final : Node {
    DatasetPictures() : Node({.id = "dataset.pictures", .version = 1, .title = "Pictures of Dataset", .category = "Dataset",
                              .help = "Some pictures of a dataset as a batch, and their captions, one a line: to look at what training sees."}) {}

    In<Dataset>        dataset{this, "dataset", "Pictures with captions"};
    Param<int>         first{this, "first", "The first one's number, from 0", {.initial = 0, .min = 0}};
    Param<int>         count{this, "count", "How many, or as many as there are", {.initial = 16, .min = 1, .max = 65536}};
    Param<bool>        vary {this, "vary", "With a visit's random choices", {.initial = false}};
    Param<Seed>        seed {this, "seed", "Of the random choices", {}};
    Out<Image>         images{this, "images", "The pictures"};
    Out<std::string>   captions{this, "captions", "Their captions, one a line"};

    void compute(Eval& ev) const override {
        const Dataset& from = ev[dataset];
        const std::int64_t begin = ev[first], end = std::min<std::int64_t>(from.size(), begin + ev[count]);
        if (begin >= end) ev.fail(first, "expected a number below {}, got {}", from.size(), begin);
        std::vector<Visit> visits;
        std::vector<std::int64_t> indices;
        std::string lines;
        for (std::int64_t i = begin; i < end; ++i) {
            visits.push_back({i, static_cast<std::uint64_t>(i)});
            indices.push_back(i);
            if (!lines.empty()) lines += "\n";
            lines += from.caption(i);
        }
        ev.set(images, evaluated(make_image(from.buckets ? beside_each_other(from, visits, ev[vary], ev[seed]) : ev[vary] ? from.pictures(visits, ev[seed]) : from.pictures(indices))));
        ev.set(captions, lines);
    }
};

}  // namespace

REGISTER_NODE(dataset_pictures, DatasetPictures)

}  // namespace nodes
