#include "nodes/adapt/lora_params.h"
#include "nodes/types/encoder.h"
#include "nodes/types/model.h"

namespace nodes {
namespace {

// A learned word that came with a file, where a tower has its width.
std::optional<TextEmbedding> embedding_of(const std::string& token, const gpu::Weight& weight, const Encoder& encoder) {
    const int width = weight.entry.shape.empty() ? 0 : static_cast<int>(weight.entry.shape.back());
    const bool fits = std::any_of(encoder.towers().begin(), encoder.towers().end(), [&](const TowerUse& use) { return use.tower->info().width == width; });
    if (!fits) return std::nullopt;
    const std::vector<float> values = gpu::entry_floats(weight.entry);
    TextEmbedding word{.names = {token}};
    for (auto at = values.begin(); at != values.end(); at += width) word.rows[width].push_back(std::make_shared<const std::vector<float>>(at, at + width));
    return word;
}

struct AdaptLora final : Node {
    AdaptLora() : Node({.id = "adapt.lora", .version = 1, .title = "Apply LoRA", .category = "Adapt",
                        .help = "Changes a model and its text encoders by a file of the LoRA family: LoRA, LoCon, LoHa, LoKr, DoRA, full differences, Custom "
                                "Diffusion, as kohya's scripts, diffusers, PEFT, LyCORIS or cloneofsimo's tool spell them. Several apply one after the other. "
                                "Learned words in the file become words of the prompt."}) {}

    In<Model>          model         {this, "model", "The model to change"};
    In<Encoder>        encoder       {this, "encoder", "The text encoders to change"};
    Param<FilePath>    file          {this, "file", "The adapter", {.filter = lora_filter}};
    Param<double>      strength      {this, "strength", "Times the change of the model; negative undoes what was learned", {.initial = 1, .min = -10, .max = 10, .step = 0.05}};
    Param<double>      strength_text {this, "strength_text", "Times the change of the text encoders", {.initial = 1, .min = -10, .max = 10, .step = 0.05}};
    Param<std::string> blocks        {this, "blocks", lora_blocks_help, {.advanced = true}};
    Param<LoraMode>    mode          {this, "mode", "merged: into the weights, once; live: low rank branches beside the model's layers, computed at every step. Text encoders are always merged",
                                      {.initial = LoraMode::Merged, .names = {"merged", "live"}, .advanced = true}};
    Out<Model>         changed       {this, "model", "The changed model"};
    Out<Encoder>       changed_text  {this, "encoder", "The changed text encoders"};

    void compute(Eval& ev) const override {
        const Model& base = ev[model];
        Encoder text = ev[encoder];
        try {
            const auto lora = open_lora(ev[file].path, base.info().family);
            const LoraNames names = LoraNames::unet(base.base().weights());
            std::vector<LoraNames> towers;
            std::vector<const LoraNames*> list;
            for (const TowerUse& use : text.towers()) towers.push_back(LoraNames::text(use.tower->weights()));
            for (const LoraNames& tower : towers) list.push_back(&tower);
            const LoraStrength by{.model = ev[strength], .text = ev[strength_text], .blocks = BlockStrengths(ev[blocks]), .live = ev[mode] == LoraMode::Live};
            const AppliedLora applied = apply_lora(lora, &names, list, by, base.info().family);
            warn_unused(ev, *lora, applied.unused);
            for (std::size_t tower = 0; tower < applied.text.size(); ++tower)
                if (applied.text[tower]) text = text.with(tower, applied.text[tower]);
            for (const auto& [token, rows] : lora->embeddings) {
                if (const auto word = embedding_of(token, rows, text))
                    text = text.with(*word);
                else
                    ev.warn("{}: no text encoder has the width of its word {}", lora->title, token);
            }
            ev.set(changed, applied.unet ? base.with(applied.unet) : base);
            ev.set(changed_text, std::move(text));
        } catch (const gpu::Error& error) {
            ev.fail(file, error.code(), "{}", error.what());
        }
    }
};

}  // namespace

REGISTER_NODE(adapt_lora, AdaptLora)

}  // namespace nodes
