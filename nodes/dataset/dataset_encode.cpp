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
    In<Encoder>   encoder {this, "encoder", "For the captions, with one text tower"};
    Param<int>    variants{this, "variants", "Latents of each picture, drawn by its frame's random choices; 1: the picture as it is", {.initial = 1, .min = 1, .max = 1024}};
    Param<Seed>   seed    {this, "seed", "Of the random choices", {}};
    Out<Examples> examples{this, "examples", "Ready to train on"};

    void compute(Eval& ev) const override {
        const Dataset& from = ev[dataset];
        const Autoencoder& autoencoder = *ev[vae].model;
        if (from.size() == 0) ev.fail(dataset, "expected pictures, got an empty dataset");
        if (ev[encoder].towers().size() != 1) ev.fail(encoder, "expected one text tower, got {}", ev[encoder].towers().size());
        const int factor = autoencoder.format().factor, each = ev[variants];
        if (from.framing.width % factor != 0 || from.framing.height % factor != 0)
            ev.fail(dataset, "expected pictures of multiples of {} pixels, got {} x {}", factor, from.framing.width, from.framing.height);

        Examples made{.format = autoencoder.format(), .height = from.framing.height / factor, .width = from.framing.width / factor, .variants = each};
        std::vector<float> latents, contexts, masks;
        const std::int64_t count = from.size() * each;
        for (std::int64_t first = 0; first < count; first += at_once) {
            ev.progress(first, count + from.size());
            std::vector<Visit> visits;
            std::vector<std::int64_t> plain;
            for (std::int64_t i = first; i < std::min(count, first + at_once); ++i) {
                visits.push_back({i / each, static_cast<std::uint64_t>(i)});
                plain.push_back(i);
            }
            const std::vector<float> part = gpu::to_floats(autoencoder.encode(each == 1 ? from.pictures(plain) : from.pictures(visits, ev[seed])));
            latents.insert(latents.end(), part.begin(), part.end());
            if (!from.has_masks()) continue;
            // The share of each cell's pixels, as an area-weighted resize gives it.
            const Tensor pixels = each == 1 ? from.masks(plain) : from.masks(visits, ev[seed]);      // [n, 1, H, W]
            const std::vector<float> cells = gpu::to_floats(gpu::mean(gpu::reshape(pixels, {-1, made.height, factor, made.width, factor}), {2, 4}));
            masks.insert(masks.end(), cells.begin(), cells.end());
        }
        for (std::int64_t i = 0; i < from.size(); ++i) made.captions.push_back(from.caption(i));
        const TextTowerInfo& tower = ev[encoder].towers()[0].tower->info();
        made.tokens = tower.positions;
        for (std::int64_t first = 0; first <= from.size(); first += at_once) {
            ev.progress(count + std::min(first, from.size()), count + from.size());
            std::vector<TextRow> rows;
            for (std::int64_t i = first; i <= std::min(from.size(), first + at_once - 1); ++i)
                rows.push_back(plain_row(*ev[encoder].towers()[0].tower, i < from.size() ? made.captions[static_cast<std::size_t>(i)] : std::string()));
            const Tensor context = ev[encoder].network(0)->operator()(rows, ev[encoder].drop(0), ev[encoder].towers()[0].norm, false).context;
            made.context_width = context.size(2);
            const std::vector<float> part = gpu::to_floats(context);
            contexts.insert(contexts.end(), part.begin(), part.end());
        }
        made.latents = std::make_shared<const std::vector<float>>(std::move(latents));
        made.contexts = std::make_shared<const std::vector<float>>(std::move(contexts));
        if (from.has_masks()) made.masks = std::make_shared<const std::vector<float>>(std::move(masks));
        ev.set(examples, made);
    }
};

}  // namespace

REGISTER_NODE(dataset_encode, DatasetEncode)

}  // namespace nodes
