#include "nodes/models/diffusion/attention_maps.h"

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "nodes/models/diffusion/attention_record.h"
#include "nodes/models/diffusion/predict.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;

// Remembers maps as the network is written down. It lives for one call, which nobody else sees: unlike other patches it may change.
struct Recorder final : AttentionPatch {
    std::int64_t tokens, height, width;
    mutable Tensor sum;
    mutable int layers = 0;

    Recorder(std::int64_t tokens, std::int64_t height, std::int64_t width) : tokens(tokens), height(height), width(width) {}
    std::string summary() const override { return "attention maps"; }
    Tensor result(const AttentionSite& site, const AttentionCall& call, const Tensor& result) const override {
        if (!site.cross) return result;
        const Tensor whole = token_maps(site, call.q, call.k, tokens, 1, height, width);
        sum = sum ? sum + whole : whole;
        ++layers;
        return result;
    }
};

}  // namespace

Tensor attention_maps(const Model& model, const ConditioningEntry& entry, const Tensor& x, const StepInfo& at) {
    check(entry.context && entry.context.rank() == 3, ErrorCode::InvalidGraph, "attention maps: expected an encoded prompt, got none");
    const auto recorder = std::make_shared<const Recorder>(entry.context.size(1), x.size(2), x.size(3));
    Conditioning one{{entry}};
    ConditioningEntry& asked = one.entries.front();
    asked.area.reset(), asked.mask = {}, asked.start = 0, asked.end = 1, asked.strength = 1;
    predict(model.with(PatchRef(recorder)), {&one}, x, {.at = at});
    check(recorder->layers > 0, ErrorCode::InvalidGraph, "attention maps: expected a network with cross-attention, got a {} model without", model.info().family);
    return recorder->sum / static_cast<double>(recorder->layers);
}

}  // namespace nodes
