#include "nodes/models/clip/embedding.h"
#include "nodes/text/encoder_params.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

struct TextEmbeddingLoad final : Node {
    TextEmbeddingLoad() : Node({.id = "text.embedding_load", .version = 1, .title = "Load Embedding", .category = "Text",
                                .help = "Adds the learned words of a textual inversion file to a text encoder. Prompts call them by the file's name or by their token: "
                                        "embedding:name in the comfy dialect, the bare name in the others. LoRA files that carry such words serve too."}) {}

    In<Encoder>        encoder{this, "encoder", "The text encoders that shall know the words"};
    Param<FilePath>    file   {this, "file", "The embedding", {.filter = weights_filter}};
    Param<std::string> name   {this, "name", "What prompts call it; empty: the file's name"};
    Out<Encoder>       extended{this, "encoder", "The encoders that know them"};
    Out<std::string>   names  {this, "names", "The names, one line a word"};

    void compute(Eval& ev) const override {
        Encoder made = ev[encoder];
        std::string lines;
        for (const TextEmbedding& word : read_text_embeddings(gpu::open_checkpoint(ev[file].path), ev[name])) {
            for (std::size_t i = 0; i < word.names.size(); ++i) lines += (i > 0 ? ", " : "") + word.names[i];
            lines += '\n';
            for (const TowerUse& use : made.towers())
                if (!word.rows.contains(use.tower->info().width))
                    ev.warn("{} has no vectors of width {}: {} does without", word.names[0], use.tower->info().width, use.tower->info().name);
            made = made.with(word);
        }
        ev.set(extended, std::move(made));
        ev.set(names, std::move(lines));
    }
};

}  // namespace

REGISTER_NODE(text_embedding_load, TextEmbeddingLoad)

}  // namespace nodes
