// Cross-attention that a network computes anyway, kept for looking at it: the patch that listens, and how much of a call it listens to.
#pragma once

#include <cstdint>
#include <string>

#include "nodes/types/patch.h"

namespace nodes {

// softmax(q k^T / sqrt(d)) of a cross-attention layer, averaged over heads and brought to height x width: F32 [N, L, height, width] from queries
// [N, H, T, d] and keys [N, H, K, d] of `tokens` L that come `repeats` times in a row. Lazy. Bilinear in place of DAAM's bicubic
// (arXiv:2210.04885): no overshoot, and a cell's shares still sum to 1 over the tokens. Throws Error{InvalidGraph} for fewer keys.
Tensor token_maps(const AttentionSite& site, const Tensor& q, const Tensor& k, std::int64_t tokens, std::int64_t repeats, std::int64_t height, std::int64_t width);

// attention: changes nothing. Whoever samples asks for what it hears by an AttentionWatch; without one it costs nothing.
class AttentionRecord final : public AttentionPatch {
public:
    struct Settings {
        double start = 0, end = 1;      // the part of the way from noise to picture that is listened to
        int finest = 1, coarsest = 64;  // layers whose map is so many times smaller than the latent
    };
    explicit AttentionRecord(Settings settings) : settings_(settings) {}

    bool acts(const StepInfo& at) const { return at.progress >= settings_.start && (at.progress < settings_.end || settings_.end >= 1); }
    std::string summary() const override;
    Tensor result(const AttentionSite& site, const AttentionCall& call, const Tensor& result) const override;

private:
    friend class AttentionWatch;
    const Settings settings_;
};

// The record among the patches that a sampler listens by: the last; null: there is none.
const AttentionRecord* attention_record(const Patches& patches);

// Some rows of one call of a network, while it is written down in this thread: from the watch's beginning to its end.
class AttentionWatch {
public:
    struct Rows {
        std::int64_t first = 0, count = 1;
        std::int64_t tokens = 77, repeats = 1;      // of their contexts
        std::int64_t height = 0, width = 0;         // of the latent that they show, which is the maps' size
    };
    AttentionWatch(const AttentionRecord& record, Rows rows);
    ~AttentionWatch();
    AttentionWatch(const AttentionWatch&) = delete;
    AttentionWatch& operator=(const AttentionWatch&) = delete;

    // The mean over the layers: F32 [count, tokens, height, width]; empty where no layer is of a size that is listened to.
    Tensor maps() const;

private:
    friend class AttentionRecord;
    void take(const AttentionSite& site, const AttentionCall& call);

    const AttentionRecord& record_;
    const Rows rows_;
    Tensor sum_;
    int layers_ = 0;
    AttentionWatch* const outer_;
};

}  // namespace nodes
