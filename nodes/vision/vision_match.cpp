#include <algorithm>
#include <numeric>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/models/clip/vision.h"
#include "nodes/types/encoder.h"
#include "nodes/types/number.h"
#include "nodes/types/text.h"
#include "nodes/vision/embedding.h"

namespace nodes {
namespace {

struct VisionMatch final : Node {
    VisionMatch() : Node({.id = "vision.match", .version = 1, .title = "Match Pictures and Captions", .category = "Vision",
                          .help = "How well pictures show what their captions say, in the eyes of CLIP (arXiv:2103.00020): the share of pictures whose own caption is the most similar "
                                  "one of all, and among the five most similar.",
                          .side_effect = true}) {}

    In<Image>          image   {this, "image", "Pictures"};
    In<Vision>         vision  {this, "vision", "The image encoder"};
    In<Encoder>        encoder {this, "encoder", "Its text encoder, with one tower and a projection"};
    In<std::string>    captions{this, "captions", "What they show, one line a picture"};
    Param<VisionFit>   fit     {this, "fit", "How pictures become squares", {.initial = VisionFit::Stretch, .names = {"crop", "pad", "stretch"}}};
    Out<double>        top1    {this, "top1", "Share whose own caption is the most similar, in percent"};
    Out<double>        top5    {this, "top5", "Share whose own caption is among the five most similar, in percent"};
    Out<double>        similarity{this, "similarity", "The mean cosine between a picture and its caption"};
    Out<std::string>   table   {this, "table", "A line for each picture: its caption, that caption's place, and the most similar caption"};

    void compute(Eval& ev) const override {
        const std::vector<std::string> lines = text_lines(ev[captions]);
        const auto n = static_cast<std::size_t>(ev[image].batch());
        if (lines.size() != n) ev.fail(captions, "expected a line for each of {} pictures, got {}", n, lines.size());
        if (ev[encoder].towers().size() != 1) ev.fail(encoder, "expected one text tower, got {}", ev[encoder].towers().size());
        const TextTower& tower = *ev[encoder].towers()[0].tower;
        const int projection = ev[vision]->info().projection;
        if (projection == 0 || tower.info().projection != projection) ev.fail(encoder, "expected a projection to {} numbers as the image encoder's, got {}", projection, tower.info().projection);
        std::vector<TextRow> rows;
        for (const std::string& line : lines) rows.push_back(plain_row(tower, line));
        const Tensor texts = unit_length(ev[encoder].network(0)->operator()(rows, 0, true, true).pooled);                            // [N, P]
        const Tensor seen = picture_embeddings(ev[image], ev[vision], ev[fit]);                                                  // [N, P]
        const std::vector<float> cosines = gpu::to_floats(gpu::matmul(seen, gpu::transpose(texts, 0, 1)));                              // [N, N]
        std::size_t first = 0, fifth = 0;
        double sum = 0;
        std::string told;
        for (std::size_t i = 0; i < n; ++i) {
            const auto row = cosines.begin() + static_cast<std::ptrdiff_t>(i * n), end = row + static_cast<std::ptrdiff_t>(n);
            const float own = row[static_cast<std::ptrdiff_t>(i)];
            // The same text twice is one caption.
            std::size_t place = 0;
            for (std::size_t j = 0; j < n; ++j) place += row[static_cast<std::ptrdiff_t>(j)] > own && lines[j] != lines[i];
            first += place == 0, fifth += place < 5, sum += own;
            told += gpu::format("{}{}: place {}, most similar to {}", told.empty() ? "" : "\n", lines[i], place + 1, lines[static_cast<std::size_t>(std::max_element(row, end) - row)]);
        }
        const double one = 100.0 * static_cast<double>(first) / static_cast<double>(n), five = 100.0 * static_cast<double>(fifth) / static_cast<double>(n);
        ev.report("top1", one, "%");
        ev.report("top5", five, "%");
        ev.report("similarity", sum / static_cast<double>(n));
        ev.set(top1, one), ev.set(top5, five), ev.set(similarity, sum / static_cast<double>(n)), ev.set(table, told);
    }
};

}  // namespace

REGISTER_NODE(vision_match, VisionMatch)

}  // namespace nodes
