// Merging models: a weighted sum A + r (B - A), or A + r (B - C), which carries what B learned from C over to A. By blocks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nodes/models/lora/blocks.h"
#include "nodes/types/patch.h"

namespace nodes {

// Weights of another model of the same architecture, with the patches that it carries.
struct MergeSource {
    gpu::Weights weights;
    Patches patches;
};

class MergePatch final : public WeightPatch {
public:
    MergePatch(std::string title, MergeSource b, std::optional<MergeSource> c, double ratio, BlockStrengths blocks)
        : title_(std::move(title)), b_(std::move(b)), c_(std::move(c)), ratio_(ratio), blocks_(std::move(blocks)) {}

    std::string summary() const override { return title_; }
    bool touches(const std::string& name) const override;
    // A first convolution with more channels than the other's (inpainting models) keeps what the other has none of.
    Tensor apply(const std::string& name, const Tensor& weight) const override;
    // Names of A that B or C lacks, or has in another shape; they stay as they are.
    std::vector<std::string> unmatched(const gpu::Weights& a) const;

private:
    bool fits(const std::string& name, const gpu::Shape& shape) const;
    double ratio_of(const std::string& name) const { return ratio_ * blocks_.of(name); }

    std::string title_;
    MergeSource b_;
    std::optional<MergeSource> c_;
    double ratio_;
    BlockStrengths blocks_;
};

}  // namespace nodes
