// examples: pictures as latents with their encoded captions, ready to train a diffusion model on. In<Examples>, Out<Examples>.
#pragma once

#include <compare>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nodes/types/latent.h"

namespace nodes {

struct CellSize {
    std::int64_t height = 0, width = 0;
    friend auto operator<=>(const CellSize&, const CellSize&) = default;
};

// Immutable; copies share the numbers.
struct Examples {
    LatentFormat format;
    std::int64_t height = 0, width = 0;             // of a latent, in cells; with buckets: of the first one
    std::int64_t tokens = 0, context_width = 0;
    int variants = 1;                               // latents of one picture, which differ by its frame's random choices
    std::vector<std::string> captions;
    // Latents [pictures, variants, C, h, w], contexts [pictures + 1, tokens, context width]: the last one is the empty caption's.
    std::shared_ptr<const std::vector<float>> latents, contexts;
    // What encoders that have it (SDXL's) say of the text as a whole, [pictures + 1, pooled width]; width 0: nothing.
    std::int64_t pooled_width = 0;
    std::shared_ptr<const std::vector<float>> pooled;
    // How much each cell counts in a loss, 0..1, [pictures, variants, h, w]; empty: all of them do.
    std::shared_ptr<const std::vector<float>> masks;
    // Aspect buckets: sizes, and which one each picture has. Latents and masks then lie one picture after the other. Empty: all are height x width.
    std::vector<CellSize> sizes;
    std::vector<int> groups;
    std::vector<std::int64_t> starts;               // with buckets, by lay_out(): where a picture starts, in cells of one variant and channel

    std::int64_t size() const { return static_cast<std::int64_t>(captions.size()); }
    // The size of a picture's latents.
    CellSize cells_of(std::int64_t item) const { return sizes.empty() ? CellSize{height, width} : sizes[static_cast<std::size_t>(groups[static_cast<std::size_t>(item)])]; }
    std::span<const float> latent(std::int64_t item, int variant) const { return part(*latents, item, variant, format.channels); }
    std::span<const float> mask(std::int64_t item, int variant) const { return part(*masks, item, variant, 1); }
    // Elements of `latents` for one channel.
    std::int64_t all_cells() const { return start_of(size()) * variants; }
    std::size_t context_elements() const { return static_cast<std::size_t>(tokens * context_width); }
    // With buckets, after the groups are known: where pictures start.
    void lay_out() {
        starts = {0};
        for (std::int64_t i = 0; i < size(); ++i) starts.push_back(starts.back() + cells_of(i).height * cells_of(i).width);
    }
    std::size_t bytes() const { return (latents->size() + contexts->size() + (pooled ? pooled->size() : 0) + (masks ? masks->size() : 0)) * sizeof(float); }
    std::int64_t start_of(std::int64_t item) const { return sizes.empty() ? item * height * width : starts[static_cast<std::size_t>(item)]; }
    std::span<const float> part(const std::vector<float>& all, std::int64_t item, int variant, std::int64_t channels) const {
        const auto [h, w] = cells_of(item);
        return std::span(all).subspan(static_cast<std::size_t>(channels * (start_of(item) * variants + variant * h * w)), static_cast<std::size_t>(channels * h * w));
    }
};

template <>
struct SocketTraits<Examples> {
    static constexpr const char* name = "examples";
    static SocketType describe();
};

}  // namespace nodes
