#include "nodes/core/node.h"
#include "nodes/types/dataset.h"
#include "nodes/types/image.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

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
        ev.set(images, evaluated(make_image(ev[vary] ? from.pictures(visits, ev[seed]) : from.pictures(indices))));
        ev.set(captions, lines);
    }
};

}  // namespace

REGISTER_NODE(dataset_pictures, DatasetPictures)

}  // namespace nodes
