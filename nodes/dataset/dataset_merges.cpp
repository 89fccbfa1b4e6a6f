#include "nodes/core/node.h"
#include "nodes/training/byte_pairs.h"
#include "nodes/types/dataset.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

struct DatasetMerges final : Node {
    DatasetMerges() : Node({.id = "dataset.merges", .version = 1, .title = "Learn Merges", .category = "Dataset",
                            .help = "The vocabulary of a small text encoder: byte-pair merges (arXiv:1508.07909) of the captions' words, in the form of CLIP's merges.txt."}) {}

    In<Dataset>      dataset{this, "dataset", "Captions"};
    Param<int>       count{this, "count", "How many merges at most; the vocabulary has 514 more", {.initial = 768, .min = 1, .max = 48894}};
    Out<std::string> merges{this, "merges", "The text of a merges file"};

    void compute(Eval& ev) const override {
        std::vector<std::string> captions;
        for (std::int64_t i = 0; i < ev[dataset].size(); ++i) captions.push_back(ev[dataset].caption(i));
        ev.set(merges, learn_merges(captions, ev[count]));
    }
};

}  // namespace

REGISTER_NODE(dataset_merges, DatasetMerges)

}  // namespace nodes
