#include "nodes/core/node.h"
#include "nodes/types/dataset.h"

namespace nodes {
namespace {

struct DatasetSplit final : Node {
    DatasetSplit() : Node({.id = "dataset.split", .version = 1, .title = "Split Dataset", .category = "Dataset",
                           .help = "Holds a share of the pictures back from training. A picture's caption decides, so that it stays on its side when others come or go, and "
                                   "variants of one subject stay together; those named in \"hold\" are held back in any case."}) {}

    In<Dataset>        dataset{this, "dataset", "Pictures"};
    Param<double>      share{this, "share", "Of the pictures that are held back", {.initial = 0.05, .min = 0, .max = 1}};
    Param<std::string> hold {this, "hold", "Captions that are held back, one a line", {.multiline = true}};
    Param<std::string> subject{this, "subject", "The caption's part before this text names the subject, whose variants stay together; empty: the whole caption", {.initial = ":", .advanced = true}};
    Param<Seed>        seed {this, "seed", "Another choice", {}};
    Out<Dataset>       train{this, "train", "To train on"};
    Out<Dataset>       held {this, "held", "Held back"};

    void compute(Eval& ev) const override {
        const std::string lines = gpu::format("\n{}\n", ev[hold]);
        const std::string mark = ev[subject];
        Dataset kept = ev[dataset], back = ev[dataset];
        kept.items.clear(), back.items.clear();
        for (const std::int64_t item : ev[dataset].items) {
            const std::string caption = ev[dataset].source->caption(item);
            const std::string named = mark.empty() ? caption : caption.substr(0, caption.find(mark));
            const gpu::Hash hash = gpu::Hasher().add(named).add(static_cast<std::uint64_t>(ev[seed])).finish();
            const bool held_back = static_cast<double>(hash.low >> 11) * 0x1p-53 < ev[share] || lines.find(gpu::format("\n{}\n", caption)) != std::string::npos;
            (held_back ? back : kept).items.push_back(item);
        }
        ev.set(train, kept);
        ev.set(held, back);
    }
};

}  // namespace

REGISTER_NODE(dataset_split, DatasetSplit)

}  // namespace nodes
