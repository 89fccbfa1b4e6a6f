#include "nodes/types/encoder.h"

#include <algorithm>
#include <mutex>

#include "gpu/base/error.h"
#include "nodes/types/trained.h"

namespace nodes {

struct Encoder::Built {
    std::mutex mutex;
    std::shared_ptr<const TextNetwork> network;
};

TextRow plain_row(const TextTower& tower, const std::string& text) {
    const auto length = static_cast<std::size_t>(tower.info().positions);
    TextRow row{{.id = tower.info().start}};
    for (const int id : tower.tokens(text))
        if (row.size() + 1 < length) row.push_back({.id = id});
    row.push_back({.id = tower.info().end});
    while (row.size() < length) row.push_back({.id = tower.info().pad});
    return row;
}

Encoder::Encoder(std::string family, std::vector<TowerUse> towers)
    : family_(std::move(family)), towers_(std::move(towers)), patches_(towers_.size()) {
    gpu::check(!towers_.empty(), gpu::ErrorCode::InvalidGraph, "text encoder: expected one tower or more, got none");
    for (std::size_t i = 0; i < towers_.size(); ++i) built_.push_back(std::make_shared<Built>());
}

int Encoder::context_width() const {
    int width = 0;
    for (const TowerUse& use : towers_) width += use.tower->info().width;
    return width;
}

Encoder Encoder::with(std::size_t tower, PatchRef patch) const {
    gpu::check(tower < towers_.size(), gpu::ErrorCode::InvalidGraph, "text encoder: expected a tower of 0 to {}, got {}", towers_.size() - 1, tower);
    Encoder made = *this;
    made.patches_[tower].push_back(std::move(patch));
    made.built_[tower] = std::make_shared<Built>();
    return made;
}

Encoder Encoder::with(TextEmbedding embedding) const {
    std::string wanted, got;
    bool fits = false;
    for (const TowerUse& use : towers_) {
        fits = fits || embedding.rows.contains(use.tower->info().width);
        wanted += gpu::format("{}{} ({})", wanted.empty() ? "" : " or ", use.tower->info().width, use.tower->info().name);
    }
    for (const auto& [width, rows] : embedding.rows) got += gpu::format("{}{}", got.empty() ? "" : " and ", width);
    gpu::check(fits, gpu::ErrorCode::InvalidGraph,
               "embedding {}: expected vectors of width {} for an encoder of {}, got {}; 768 are for CLIP-L (SD 1, SDXL), 1024 for SD 2, 1280 for SDXL's second encoder",
               embedding.names.empty() ? "without a name" : embedding.names[0], wanted, family_, got.empty() ? "none" : got);
    Encoder made = *this;
    made.embeddings_.push_back(std::move(embedding));
    return made;
}

Encoder Encoder::with_skip(std::optional<int> layers) const {
    Encoder made = *this;
    made.skip_ = layers;
    return made;
}

std::shared_ptr<const TextNetwork> Encoder::network(std::size_t tower) const {
    Built& built = *built_.at(tower);
    const std::lock_guard lock(built.mutex);
    if (!built.network) built.network = towers_[tower].tower->build(patches_[tower]);
    return built.network;
}

int Encoder::drop(std::size_t tower) const {
    const TowerUse& use = towers_.at(tower);
    const int wanted = skip_.value_or(use.drop), dropped = use.tower->info().dropped;
    gpu::check(wanted >= 0 && wanted < use.tower->info().layers + dropped, gpu::ErrorCode::InvalidGraph,
               "text encoder: expected 0 to {} layers to leave out of {}, got {}", use.tower->info().layers + dropped - 1, use.tower->info().name, wanted);
    return std::max(0, wanted - dropped);
}

std::string Encoder::summary() const {
    std::string text = family_;
    for (std::size_t i = 0; i < towers_.size(); ++i) {
        text += (i == 0 ? ": " : " + ") + towers_[i].tower->summary();
        for (const PatchRef& patch : patches_[i]) text += "; " + patch->summary();
    }
    for (const TextEmbedding& embedding : embeddings_) text += "; embedding " + (embedding.names.empty() ? "?" : embedding.names[0]);
    if (skip_) text += gpu::format("; {} layers left out", *skip_);
    return text;
}

std::size_t Encoder::bytes() const {
    std::size_t bytes = sizeof *this;
    for (const Patches& patches : patches_)
        for (const PatchRef& patch : patches) bytes += patch->bytes();
    for (const TextEmbedding& embedding : embeddings_)
        for (const auto& [width, rows] : embedding.rows) bytes += rows.size() * static_cast<std::size_t>(width) * sizeof(float);
    return bytes;
}

SocketType SocketTraits<Encoder>::describe() {
    return {.title = "Text Encoder", .colour = "#c7a83e", .help = "Turns prompts into what a model is told: text encoders with their tokenizers",
            .bytes = erased<Encoder>([](const Encoder& encoder) { return encoder.bytes(); }),
            .summary = erased<Encoder>([](const Encoder& encoder) { return encoder.summary(); }),
            .accepts = {from_trained<Encoder>()}};
}

}  // namespace nodes
