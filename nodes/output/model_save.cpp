#include "nodes/core/node.h"
#include "nodes/models/source/save.h"
#include "nodes/models/unet/unet.h"
#include "nodes/models/vae/kl.h"
#include "nodes/types/encoder.h"

namespace nodes {
namespace {

struct ModelSave final : Node {
    ModelSave() : Node({.id = "model.save", .version = 1, .title = "Save Model", .category = "Output",
                        .help = "Writes what is connected: one part alone (UNet, autoencoder or text encoders), or a whole model, as a checkpoint in ldm's layout or a "
                                "diffusers folder. Patches of weights (LoRA, merges) are baked in; what they leave alone is copied bit by bit.",
                        .side_effect = true}) {}

    In<Model>          model  {this, "model", "The UNet", {.optional = true}};
    In<Encoder>        encoder{this, "encoder", "The text encoders", {.optional = true}};
    In<Vae>            vae    {this, "vae", "The autoencoder, a KL one", {.optional = true}};
    Param<OutputPath>  file   {this, "file", "A name that ends in .safetensors, or of a folder for a whole model in diffusers' layout", {.filter = "Safetensors (*.safetensors)"}};
    Param<ModelLayout> layout {this, "layout", "Names of the tensors", {.initial = ModelLayout::Ldm, .names = {"ldm", "diffusers"}}};
    Param<SavedType>   type   {this, "precision", "keep: each tensor's own, F16 for quantised ones", {.initial = SavedType::Keep, .names = {"keep", "f32", "f16", "bf16"}}};
    Param<std::string> title  {this, "title", "Kept in the file's metadata as modelspec.title", {.advanced = true}};

    void compute(Eval& ev) const override {
        SavedModel saved;
        if (ev.has(model)) {
            const Model& source = ev[model];
            const auto* unet = dynamic_cast<const Unet*>(&source.base());
            if (!unet) ev.fail(model, "expected a UNet, got {}", source.base().summary());
            for (const PatchRef& patch : source.patches())
                if (!dynamic_cast<const WeightPatch*>(patch.get())) ev.warn("{} is no change of weights and is not saved", patch->summary());
            saved.unet = {source.base().weights(), source.patches(), unet->config(), source.info()};
            saved.family = source.info().family;
        }
        if (ev.has(vae)) {
            const auto* kl = dynamic_cast<const KlAutoencoder*>(ev[vae].model.get());
            if (!kl) ev.fail(vae, "expected a KL autoencoder, got {}", ev[vae]->summary());
            saved.vae = {kl->weights(), kl->config(), kl->format()};
        }
        if (ev.has(encoder)) {
            for (std::size_t tower = 0; tower < ev[encoder].towers().size(); ++tower)
                saved.text.push_back({ev[encoder].towers()[tower].tower->weights(), ev[encoder].patches(tower), ev[encoder].towers()[tower].tower->merges()});
            if (saved.family.empty()) saved.family = ev[encoder].family();
        }
        if (saved.parts() == 0) ev.fail(model, "expected a model, text encoders or an autoencoder, got none");
        SaveOptions options{.layout = ev[layout], .type = ev[type]};
        options.metadata["heddle"] = ev.document_json();
        if (!ev[title].empty()) options.metadata["modelspec.title"] = ev[title];
        for (const std::string& path : save_model(saved, ev[file].path, options)) ev.wrote(path);
    }
};

}  // namespace

REGISTER_NODE(model_save, ModelSave)

}  // namespace nodes
