#include <map>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/types/dataset.h"
#include "nodes/types/encoder.h"
#include "nodes/types/examples.h"
#include "nodes/types/vae.h"

namespace nodes {
namespace {

constexpr std::int64_t at_once = 32;      // pictures, captions

struct DatasetEncode final : Node {
    DatasetEncode() : Node({.id = "dataset.encode", .version = 1, .title = "Encode Dataset", .category = "Dataset",
                            .help = "Pictures to latents and captions to what the model is told, once for all of training. The result is kept on disk as any node's is, so that the next "
                                    "run with the same pictures, autoencoder and encoder finds it there."}) {}

    In<Dataset>   dataset {this, "dataset", "Pictures with captions"};
    In<Vae>       vae     {this, "vae", "For the pictures"};
    In<Encoder>   encoder {this, "encoder", "For the captions; what it says of a text as a whole (SDXL) is kept, too"};
    Param<int>    variants{this, "variants", "Latents of each picture, drawn by its frame's random choices; 1: the picture as it is", {.initial = 1, .min = 1, .max = 1024}};
    Param<Seed>   seed    {this, "seed", "Of the random choices", {}};
    Out<Examples> examples{this, "examples", "Ready to train on"};

    void compute(Eval& ev) const override {
        const Dataset& from = ev[dataset];
        const Autoencoder& autoencoder = *ev[vae].model;
        if (from.size() == 0) ev.fail(dataset, "expected pictures, got an empty dataset");
        const Encoder& text = ev[encoder];
        for (const TowerUse& use : text.towers())
            if (use.tower->info().positions != text.towers()[0].tower->info().positions)
                ev.fail(encoder, "expected text towers of {} positions, got one of {}", text.towers()[0].tower->info().positions, use.tower->info().positions);
        const int factor = autoencoder.format().factor, each = ev[variants];
        const auto size_of = [&](const Framing& f) {
            if (f.width % factor != 0 || f.height % factor != 0) ev.fail(dataset, "expected pictures of multiples of {} pixels, got {} x {}", factor, f.width, f.height);
            return CellSize{f.height / factor, f.width / factor};
        };
        const auto [height, width] = size_of(from.framing_of(0));
        Examples made{.format = autoencoder.format(), .height = height, .width = width, .variants = each};
        for (std::int64_t i = 0; i < from.size(); ++i) made.captions.push_back(from.caption(i));
        if (from.buckets) {
            std::map<CellSize, int> known;
            for (std::int64_t i = 0; i < from.size(); ++i) {
                const auto [at, is_new] = known.emplace(size_of(from.framing_of(i)), static_cast<int>(made.sizes.size()));
                if (is_new) made.sizes.push_back(at->first);
                made.groups.push_back(at->second);
            }
            made.lay_out();
        }
        const std::int64_t count = from.size() * each, channels = made.format.channels;
        std::vector<float> latents(static_cast<std::size_t>(made.all_cells() * channels)), masks(from.has_masks() ? static_cast<std::size_t>(made.all_cells()) : 0), contexts;
        std::int64_t done = 0;
        for (int group = 0; group < std::max<int>(1, static_cast<int>(made.sizes.size())); ++group) {
            std::vector<std::int64_t> all;      // latents of this size
            for (std::int64_t i = 0; i < count; ++i)
                if (made.groups.empty() || made.groups[static_cast<std::size_t>(i / each)] == group) all.push_back(i);
            for (std::size_t first = 0; first < all.size(); first += at_once) {
                ev.progress(done, count + from.size());
                const auto some = std::span(all).subspan(first, std::min<std::size_t>(at_once, all.size() - first));
                done += static_cast<std::int64_t>(some.size());
                std::vector<Visit> visits;
                for (const std::int64_t i : some) visits.push_back({i / each, static_cast<std::uint64_t>(i)});
                const auto place = [&](std::vector<float>& into, const std::vector<float>& part, std::int64_t planes) {
                    const std::size_t size = part.size() / some.size();
                    for (std::size_t n = 0; n < some.size(); ++n)
                        std::copy_n(part.begin() + static_cast<std::ptrdiff_t>(n * size), size,
                                    into.begin() + planes * made.start_of(some[n] / each) * each + (some[n] % each) * static_cast<std::ptrdiff_t>(size));
                };
                place(latents, gpu::to_floats(autoencoder.encode(each == 1 ? from.pictures(some) : from.pictures(visits, ev[seed]))), channels);
                if (!from.has_masks()) continue;
                // The share of each cell's pixels, as an area-weighted resize gives it.
                const CellSize cells = made.cells_of(some[0] / each);
                const Tensor pixels = each == 1 ? from.masks(some) : from.masks(visits, ev[seed]);      // [n, 1, H, W]
                place(masks, gpu::to_floats(gpu::mean(gpu::reshape(pixels, {-1, cells.height, factor, cells.width, factor}), {2, 4})), 1);
            }
        }
        made.tokens = text.towers()[0].tower->info().positions, made.context_width = text.context_width();
        std::vector<float> pooled;
        const auto append = [](std::vector<float>& all, const Tensor& part) {
            const std::vector<float> values = gpu::to_floats(part);
            all.insert(all.end(), values.begin(), values.end());
        };
        for (std::int64_t first = 0; first <= from.size(); first += at_once) {
            ev.progress(count + std::min(first, from.size()), count + from.size());
            gpu::Tensors towers;      // [n, tokens, width] each
            for (std::size_t k = 0; k < text.towers().size(); ++k) {
                const TowerUse& use = text.towers()[k];
                std::vector<TextRow> rows;
                for (std::int64_t i = first; i <= std::min(from.size(), first + at_once - 1); ++i)
                    rows.push_back(plain_row(*use.tower, i < from.size() ? made.captions[static_cast<std::size_t>(i)] : std::string()));
                const EncodedText said = (*text.network(k))(rows, text.drop(k), use.norm, use.pooled);
                towers.push_back(said.context);
                if (use.pooled) made.pooled_width = said.pooled.size(1), append(pooled, said.pooled);
            }
            append(contexts, gpu::concat(towers, 2));
        }
        made.latents = std::make_shared<const std::vector<float>>(std::move(latents));
        made.contexts = std::make_shared<const std::vector<float>>(std::move(contexts));
        if (made.pooled_width > 0) made.pooled = std::make_shared<const std::vector<float>>(std::move(pooled));
        if (from.has_masks()) made.masks = std::make_shared<const std::vector<float>>(std::move(masks));
        ev.set(examples, made);
    }
};

}  // namespace

REGISTER_NODE(dataset_encode, DatasetEncode)

}  // namespace nodes
