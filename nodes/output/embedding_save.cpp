#include "gpu/io/checkpoint.h"
#include "nodes/core/node.h"
#include "nodes/types/encoder.h"

namespace nodes {
namespace {

enum class Form { Diffusers, Webui };

struct EmbeddingSave final : Node {
    EmbeddingSave() : Node({.id = "embedding.save", .version = 1, .title = "Save Embedding", .category = "Output",
                            .help = "Writes a learned word of a text encoder (textual inversion) as a file that other tools read.",
                            .side_effect = true}) {}

    In<Encoder>        encoder{this, "encoder", "That knows the word"};
    Param<std::string> word   {this, "word", "Which one, by a name that prompts call it by; empty: the last that was learned"};
    Param<OutputPath>  file   {this, "file", "Where to", {.filter = "Safetensors (*.safetensors)"}};
    Param<Form>        form   {this, "form", "diffusers: a tensor for each vector, called as the word; webui: emb_params, called by the file's name",
                               {.initial = Form::Diffusers, .names = {"diffusers", "webui"}}};

    void compute(Eval& ev) const override {
        const TextEmbedding* found = nullptr;
        std::string known;
        for (const TextEmbedding& one : ev[encoder].embeddings())
            for (const std::string& name : one.names) {
                if (ev[word].empty() || name == ev[word]) found = &one;
                known += (known.empty() ? "" : ", ") + name;
            }
        if (!found) ev.fail(word, "expected a learned word of the encoder ({}), got \"{}\"", known.empty() ? "it knows none" : known, ev[word]);
        if (found->rows.size() != 1) ev.fail(encoder, "expected a word with vectors for one text tower, got {}", found->rows.size());
        const auto& [width, rows] = *found->rows.begin();
        std::vector<gpu::TensorEntry> entries;
        std::vector<float> all;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            all.insert(all.end(), rows[i]->begin(), rows[i]->end());
            if (ev[form] == Form::Diffusers) {
                const std::string name = i == 0 ? found->names[0] : gpu::format("{}_{}", found->names[0], i);
                entries.push_back({.name = name, .dtype = gpu::Dtype::F32, .shape = {width}, .bytes = std::as_bytes(std::span(*rows[i]))});
            }
        }
        if (ev[form] == Form::Webui)
            entries.push_back({.name = "emb_params", .dtype = gpu::Dtype::F32, .shape = {static_cast<std::int64_t>(rows.size()), width}, .bytes = std::as_bytes(std::span(all))});
        gpu::save_safetensors(ev[file].path, entries, {{"heddle", ev.document_json()}});
        ev.wrote(ev[file].path);
    }
};

}  // namespace

REGISTER_NODE(embedding_save, EmbeddingSave)

}  // namespace nodes
