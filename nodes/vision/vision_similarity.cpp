#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/types/number.h"
#include "nodes/vision/embedding.h"

namespace nodes {
namespace {

struct VisionSimilarity final : Node {
    VisionSimilarity() : Node({.id = "vision.similarity", .version = 1, .title = "Similarity of Pictures", .category = "Vision",
                               .help = "How alike pictures are to others in the eyes of CLIP: the mean cosine between the embeddings of all pairs, which DreamBooth's paper calls CLIP-I "
                                       "(arXiv:2208.12242, section 4.1).",
                               .side_effect = true}) {}

    In<Image>        image     {this, "image", "Pictures"};
    In<Image>        reference {this, "reference", "Pictures to compare each of them with"};
    In<Vision>       vision    {this, "vision", "The image encoder, with a projection"};
    Param<VisionFit> fit       {this, "fit", "How pictures become squares", {.initial = VisionFit::Stretch, .names = {"crop", "pad", "stretch"}}};
    Param<std::string> label   {this, "label", "What the number is reported as", {.initial = "similarity"}};
    Out<double>      similarity{this, "similarity", "The mean cosine, from -1 to 1"};

    void compute(Eval& ev) const override {
        if (ev[vision]->info().projection == 0) ev.fail(vision, "expected an image encoder with a projection, got {}", ev[vision]->summary());
        const Tensor made = picture_embeddings(ev[image], ev[vision], ev[fit]), meant = picture_embeddings(ev[reference], ev[vision], ev[fit]);      // [N, P], [M, P]
        const double mean = gpu::to_floats(gpu::mean(gpu::matmul(made, gpu::transpose(meant, 0, 1))))[0];
        ev.report(ev[label], mean);
        ev.set(similarity, mean);
    }
};

}  // namespace

REGISTER_NODE(vision_similarity, VisionSimilarity)

}  // namespace nodes
