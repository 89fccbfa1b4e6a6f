// examples: pictures as latents with their encoded captions, ready to train a diffusion model on. In<Examples>, Out<Examples>.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nodes/types/latent.h"

namespace nodes {

// Immutable; copies share the numbers.
struct Examples {
    LatentFormat format;
    std::int64_t height = 0, width = 0;             // of a latent, in cells
    std::int64_t tokens = 0, context_width = 0;
    int variants = 1;                               // latents of one picture, which differ by its frame's random choices
    std::vector<std::string> captions;
    // Latents [pictures, variants, C, h, w], contexts [pictures + 1, tokens, context width]: the last one is the empty caption's.
    std::shared_ptr<const std::vector<float>> latents, contexts;
    // How much each cell counts in a loss, 0..1, [pictures, variants, h, w]; empty: all of them do.
    std::shared_ptr<const std::vector<float>> masks;

    std::int64_t size() const { return static_cast<std::int64_t>(captions.size()); }
    std::size_t latent_elements() const { return static_cast<std::size_t>(format.channels * height * width); }
    std::size_t cells() const { return static_cast<std::size_t>(height * width); }
    std::size_t context_elements() const { return static_cast<std::size_t>(tokens * context_width); }
    std::size_t bytes() const { return (latents->size() + contexts->size() + (masks ? masks->size() : 0)) * sizeof(float); }
};

template <>
struct SocketTraits<Examples> {
    static constexpr const char* name = "examples";
    static SocketType describe();
};

}  // namespace nodes
