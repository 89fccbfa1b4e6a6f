// Perturbed-attention guidance: Ahn et al., "Self-Rectifying Diffusion Sampling with Perturbed-Attention Guidance", arXiv:2403.17377.
#include "gpu/base/format.h"
#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/conditioning.h"
#include "nodes/types/model.h"

namespace nodes {
namespace {

enum class Where { Middle, All };

// Self-attention that sees nothing but the token itself: its map is the identity.
class IdentityAttention final : public AttentionPatch {
public:
    explicit IdentityAttention(Where where) : where_(where) {}
    std::string summary() const override { return "self-attention of each token to itself"; }
    Tensor result(const AttentionSite& site, const AttentionCall& call, const Tensor& result) const override {
        if (site.cross || call.v.shape() != result.shape()) return result;
        return where_ == Where::All || site.name.starts_with("middle_block.") ? call.v : result;      // [B, H, T, d]
    }

private:
    Where where_;
};

class PerturbedAttention final : public StepPatch {
public:
    PerturbedAttention(double scale, Where where) : scale_(scale), perturbed_(std::make_shared<const IdentityAttention>(where)) {}
    std::string summary() const override { return gpu::format("perturbed-attention guidance at {}", scale_); }
    std::vector<Conditioning> conditionings(const Conditioning& positive, const Conditioning*) const override {
        Conditioning worse = positive;
        for (ConditioningEntry& entry : worse.entries) entry.patches.push_back(perturbed_);
        return {worse};
    }
    // e + scale (e_positive - e_perturbed)
    Tensor guided(const GuidanceInput& in, const Tensor& output) const override { return output + (in.positive - in.others[0]) * scale_; }

private:
    double scale_;
    PatchRef perturbed_;
};

struct GuidancePerturbedAttention final : Node {
    GuidancePerturbedAttention()
        : Node({.id = "guidance.perturbed_attention", .version = 1, .title = "Perturbed-Attention Guidance", .category = "Guidance",
                .help = "Leads away from what the network predicts when its self-attention is broken: structure gets better, without a prompt too. Adds "
                        "to classifier-free guidance, which may be weaker then, and costs one more prediction a step."}) {}

    In<Model>     model{this, "model", "The model to sample with"};
    Param<double> scale{this, "scale", "How far it leads away; 0 is without", {.initial = 3, .min = 0, .max = 100, .step = 0.5}};
    Param<Where>  where{this, "where", "Whose self-attention is broken: the middle block's, as the paper advises, or all",
                        {.initial = Where::Middle, .names = {"middle", "all"}, .advanced = true}};
    Out<Model>    patched{this, "model", "The model with the patch"};

    void compute(Eval& ev) const override { ev.set(patched, ev[model].with(std::make_shared<const PerturbedAttention>(ev[scale], ev[where]))); }
};

}  // namespace

REGISTER_NODE(guidance_perturbed_attention, GuidancePerturbedAttention)

}  // namespace nodes
