#include "nodes/adapt/lora_params.h"
#include "nodes/types/model.h"

namespace nodes {
namespace {

struct AdaptLoraModel final : Node {
    AdaptLoraModel() : Node({.id = "adapt.lora_model", .version = 1, .title = "Apply LoRA to Model", .category = "Adapt",
                             .help = "Changes a model alone by a file of the LoRA family; changes of text encoders in the file are left out. Where the text "
                                     "encoders are at hand: Apply LoRA."}) {}

    In<Model>          model   {this, "model", "The model to change"};
    Param<FilePath>    file    {this, "file", "LoRA, LoCon, LoHa, LoKr, DoRA or full differences, in any published spelling", {.filter = lora_filter}};
    Param<double>      strength{this, "strength", "Times the change; negative undoes what was learned", {.initial = 1, .min = -10, .max = 10, .step = 0.05}};
    Param<std::string> blocks  {this, "blocks", lora_blocks_help, {.advanced = true}};
    Param<LoraMode>    mode    {this, "mode", "merged: into the weights, once; live: low rank branches beside the layers, computed at every step",
                                {.initial = LoraMode::Merged, .names = {"merged", "live"}, .advanced = true}};
    Out<Model>         changed {this, "model", "The changed model"};

    void compute(Eval& ev) const override {
        const Model& base = ev[model];
        try {
            const auto lora = open_lora(ev[file].path, base.info().family);
            const LoraNames names = LoraNames::unet(base.base().weights());
            const LoraStrength by{.model = ev[strength], .blocks = BlockStrengths(ev[blocks]), .live = ev[mode] == LoraMode::Live};
            const AppliedLora applied = apply_lora(lora, &names, {}, by, base.info().family);
            warn_unused(ev, *lora, applied.unused);
            if (!applied.unet) ev.warn("{}: nothing in it is for the model", lora->title);
            ev.set(changed, applied.unet ? base.with(applied.unet) : base);
        } catch (const gpu::Error& error) {
            ev.fail(file, error.code(), "{}", error.what());
        }
    }
};

}  // namespace

REGISTER_NODE(adapt_lora_model, AdaptLoraModel)

}  // namespace nodes
