// encoder: text encoders with their tokenizers, and what changes them. In<Encoder>, Out<Encoder>.
//
//     Encoder patched = ev[encoder].with(0, lora).with(embedding);      // costs nothing
//     const auto network = patched.network(0);                          // built once, for all copies of this Encoder
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gpu/nn/scope.h"
#include "nodes/core/socket_type.h"
#include "nodes/types/patch.h"

namespace nodes {

// One token of what a text encoder reads. `row`, where it is there, stands in for the table's row: a learned embedding.
struct TextToken {
    int id = 0;
    std::shared_ptr<const std::vector<float>> row{};
};
using TextRow = std::vector<TextToken>;      // one sequence, start and end included

struct EncodedText {
    Tensor context;                 // F32 [B, T, width]
    Tensor pooled;                  // F32 [B, projection] at the first end token; empty unless asked for
};

// A network that is ready to be called: weights with their patches merged. Immutable.
class TextNetwork {
public:
    virtual ~TextNetwork() = default;
    // Rows of one length. `drop`: layers left out from the end, of the context alone; `norm`: the final norm of the context. Lazy.
    // Throws Error{InvalidGraph}.
    virtual EncodedText operator()(const std::vector<TextRow>& rows, int drop, bool norm, bool pooled) const = 0;
    // The context alone, with n vectors to be learned as a tensor: ids I32 [B, T]; places F32 [B, T, n], 1 where a vector stands in for the
    // table's row; vectors F32 [n, width]. Lazy.
    virtual Tensor context(const Tensor& ids, const Tensor& places, const Tensor& vectors, int drop, bool norm) const = 0;
};

struct TextTowerInfo {
    std::string name;               // "clip-l", "clip-h", "clip-g", "clip"
    int width = 768, layers = 12;
    int positions = 77;             // tokens of a sequence, start and end included
    int projection = 0;             // width of the pooled text, 0: it can not be projected
    int dropped = 0;                // layers that the file lacks at the end: 1 in the copies of SD 2's encoder with 23 of 24
    int start = 49406, end = 49407, pad = 49407;
    std::optional<int> comma{};     // the token of "," as a word, where there is one
};

// A text encoder's weights, its tokenizer and what they mean. Implemented in nodes/models. Immutable.
class TextTower {
public:
    virtual ~TextTower() = default;
    virtual const TextTowerInfo& info() const = 0;
    // Under the names that the modules use, which weight patches speak of: Hugging Face's. Mapped files: cheap.
    virtual const gpu::Weights& weights() const = 0;
    // UTF-8 to ids, without start and end.
    virtual std::vector<int> tokens(const std::string& text) const = 0;
    virtual std::string text_of(int id) const = 0;
    // The tokenizer's merges file, as text.
    virtual std::string merges() const = 0;
    virtual std::shared_ptr<const TextNetwork> build(const Patches& patches) const = 0;
    virtual std::string summary() const = 0;            // "clip-l, 123M weights, F16"
};

// A text as one sequence without weights or learned words: what does not fit is cut, as training of these models does.
TextRow plain_row(const TextTower& tower, const std::string& text);

// A learned word (textual inversion, arXiv:2208.01618): vectors that stand for a name in the prompt.
struct TextEmbedding {
    using Rows = std::vector<std::shared_ptr<const std::vector<float>>>;
    std::vector<std::string> names;                     // that call it in a prompt: the file's, its token
    std::map<int, Rows> rows;                           // by the width of the encoder that they were trained for
};

// How a family uses one of its towers.
struct TowerUse {
    std::shared_ptr<const TextTower> tower;
    int drop = 0;                   // layers of the full tower that are left out from the end where nobody says otherwise
    bool norm = true;               // whether the context passes the final norm
    bool pooled = false;            // whether its pooled and projected embedding is the conditioning's
};

class Encoder {
public:
    Encoder(std::string family, std::vector<TowerUse> towers);

    const std::string& family() const { return family_; }      // "sd1", "sd2", "sdxl", "sdxl-refiner"
    const std::vector<TowerUse>& towers() const { return towers_; }
    const std::vector<TextEmbedding>& embeddings() const { return embeddings_; }
    std::optional<int> skip() const { return skip_; }
    int context_width() const;

    // Weight patches of one tower, whose weights they name.
    Encoder with(std::size_t tower, PatchRef patch) const;
    // Throws Error{InvalidGraph} where no tower has the width of the vectors.
    Encoder with(TextEmbedding embedding) const;
    // Layers left out from the end of every tower: 0 none, 1 the penultimate state; nothing: as the family was trained.
    Encoder with_skip(std::optional<int> layers) const;
    const Patches& patches(std::size_t tower) const { return patches_[tower]; }

    // Built at the first call (several threads wait for one), then shared by all copies of this handle.
    std::shared_ptr<const TextNetwork> network(std::size_t tower) const;
    // Layers to leave out of a tower, as its file counts them.
    int drop(std::size_t tower) const;

    std::string summary() const;
    std::size_t bytes() const;

private:
    struct Built;
    std::string family_;
    std::vector<TowerUse> towers_;
    std::vector<Patches> patches_;
    std::vector<TextEmbedding> embeddings_;
    std::optional<int> skip_;
    std::vector<std::shared_ptr<Built>> built_;         // one a tower
};

template <>
struct SocketTraits<Encoder> {
    static constexpr const char* name = "encoder";
    static SocketType describe();
};

}  // namespace nodes
