// ComfyUI's patches, merges and savers of models.
#include "nodes/interchange/comfy_values.h"

namespace nodes {
namespace {

ComfyPart freeu(const char* version) {
    return {"adapt.freeu", "freeu", {link("model", "model"), fixed("version", version), value("b1"), value("b2"), value("s1"), value("s2"), out("MODEL", "model")}};
}

// ComfyUI gives each block the share of the first model, Heddle that of the second.
ComfyConversion block_shares() {
    return {[](const QJsonValue&, ComfyValues& values) -> QJsonValue {
                const auto share = [&](const char* name) { return QString::number(1 - values.value(name).toDouble(1)); };
                return QString("in=%1 mid=%2 out=%3 base=%1").arg(share("input"), share("middle"), share("out"));
            },
            {}};
}

}  // namespace

std::vector<ComfyClass> comfy_classes_model() {
    return {
        {.name = "LoraLoader",
         .inputs = "model:MODEL clip:CLIP lora_name:COMBO strength_model:FLOAT=1 strength_clip:FLOAT=1",
         .outputs = "MODEL CLIP",
         .parts = {{"adapt.lora", "lora",
                    {link("model", "model"), link("clip", "encoder"), value("lora_name", "file", model_file({"loras"})), value("strength_model", "strength"),
                     value("strength_clip", "strength_text"), out("MODEL", "model"), out("CLIP", "encoder")}}}},
        {.name = "LoraLoaderModelOnly",
         .inputs = "model:MODEL lora_name:COMBO strength_model:FLOAT=1",
         .outputs = "MODEL",
         .parts = {{"adapt.lora_model", "lora",
                    {link("model", "model"), value("lora_name", "file", model_file({"loras"})), value("strength_model", "strength"), out("MODEL", "model")}}}},
        {.name = "FreeU", .inputs = "model:MODEL b1:FLOAT=1.1 b2:FLOAT=1.2 s1:FLOAT=0.9 s2:FLOAT=0.2", .outputs = "MODEL", .parts = {freeu("1")}},
        {.name = "FreeU_V2", .inputs = "model:MODEL b1:FLOAT=1.3 b2:FLOAT=1.4 s1:FLOAT=0.9 s2:FLOAT=0.2", .outputs = "MODEL", .parts = {freeu("2")}},
        {.name = "ModelSamplingDiscrete",
         .inputs = "model:MODEL sampling:COMBO=eps zsnr:BOOLEAN=false",
         .outputs = "MODEL",
         .parts = {{"model.sampling", "sampling",
                    {link("model", "model"), value("sampling", "prediction", names({{"eps", "epsilon"}, {"v_prediction", "v"}, {"x0", "sample"}, {"lcm", "epsilon"}})),
                     value("zsnr", "terminal_snr", flag_names("zero", "model")), out("MODEL", "model")}}},
         .note = "for lcm the sampler of that name does what ComfyUI's node adds"},
        {.name = "RescaleCFG",
         .inputs = "model:MODEL multiplier:FLOAT=0.7",
         .outputs = "MODEL",
         .parts = {{"guidance.rescale", "rescale", {link("model", "model"), value("multiplier", "share"), out("MODEL", "model")}}}},
        {.name = "PerpNeg",
         .inputs = "model:MODEL empty_conditioning:CONDITIONING neg_scale:FLOAT=1",
         .outputs = "MODEL",
         .parts = {{"guidance.perpendicular", "perpendicular",
                    {link("model", "model"), link("empty_conditioning", "empty"), value("neg_scale", "weight"), out("MODEL", "model")}}}},
        {.name = "HyperTile",
         .inputs = "model:MODEL tile_size:INT=256 swap_size:INT=2 max_depth:INT=0 scale_depth:BOOLEAN=false",
         .outputs = "MODEL",
         .passes = {{"MODEL", "model"}},
         .note = "left out: it saves time and changes the picture little",
         .told = true},
        {.name = "TomePatchModel",
         .inputs = "model:MODEL ratio:FLOAT=0.3",
         .outputs = "MODEL",
         .passes = {{"MODEL", "model"}},
         .note = "left out: it saves time and changes the picture little",
         .told = true},
        {.name = "ModelMergeSimple",
         .inputs = "model1:MODEL model2:MODEL ratio:FLOAT=1",
         .outputs = "MODEL",
         .parts = {{"model.merge", "merge", {link("model1", "a"), link("model2", "b"), value("ratio", "ratio", complement()), out("MODEL", "model")}}}},
        {.name = "ModelMergeBlocks",
         .inputs = "model1:MODEL model2:MODEL input:FLOAT=1 middle:FLOAT=1 out:FLOAT=1",
         .outputs = "MODEL",
         .parts = {{"model.merge", "merge",
                    {link("model1", "a"), link("model2", "b"), fixed("ratio", 1), value("input", "blocks", block_shares()), out("MODEL", "model")}}},
         .exported = false},
        {.name = "ModelMergeSubtract",
         .inputs = "model1:MODEL model2:MODEL multiplier:FLOAT=1",
         .outputs = "MODEL",
         .parts = {{"", "", {link("model1", "b"), link("model2", "c"), value("multiplier", "ratio")}}},
         .note = "as the second model of ModelMergeAdd",
         .exported = false},
        {.name = "ModelMergeAdd",
         .inputs = "model1:MODEL model2:MODEL",
         .outputs = "MODEL",
         .parts = {{"model.merge", "merge", {link("model1", "a"), fold("model2"), out("MODEL", "model")}}},
         .note = "with the difference that ModelMergeSubtract makes",
         .exported = false},
        {.name = "CLIPMergeSimple",
         .inputs = "clip1:CLIP clip2:CLIP ratio:FLOAT=1",
         .outputs = "CLIP",
         .parts = {{"encoder.merge", "merge", {link("clip1", "a"), link("clip2", "b"), value("ratio", "ratio", complement()), out("CLIP", "encoder")}}}},
        {.name = "CLIPMergeSubtract",
         .inputs = "clip1:CLIP clip2:CLIP multiplier:FLOAT=1",
         .outputs = "CLIP",
         .parts = {{"", "", {link("clip1", "b"), link("clip2", "c"), value("multiplier", "ratio")}}},
         .note = "as the second encoder of CLIPMergeAdd",
         .exported = false},
        {.name = "CLIPMergeAdd",
         .inputs = "clip1:CLIP clip2:CLIP",
         .outputs = "CLIP",
         .parts = {{"encoder.merge", "merge", {link("clip1", "a"), fold("clip2"), out("CLIP", "encoder")}}},
         .note = "with the difference that CLIPMergeSubtract makes",
         .exported = false},
        {.name = "CheckpointSave",
         .inputs = "model:MODEL clip:CLIP vae:VAE filename_prefix:STRING=checkpoints/ComfyUI",
         .outputs = "",
         .parts = {{"model.save", "save",
                    {link("model", "model"), link("clip", "encoder"), link("vae", "vae"), value("filename_prefix", "file", output_file(".safetensors"))}}}},
        {.name = "ModelSave",
         .inputs = "model:MODEL filename_prefix:STRING=diffusion_models/ComfyUI",
         .outputs = "",
         .parts = {{"model.save", "save", {link("model", "model"), value("filename_prefix", "file", output_file(".safetensors"))}}},
         .exported = false},
        {.name = "CLIPSave",
         .inputs = "clip:CLIP filename_prefix:STRING=clip/ComfyUI",
         .outputs = "",
         .parts = {{"model.save", "save", {link("clip", "encoder"), value("filename_prefix", "file", output_file(".safetensors"))}}},
         .exported = false},
        {.name = "VAESave",
         .inputs = "vae:VAE filename_prefix:STRING=vae/ComfyUI_vae",
         .outputs = "",
         .parts = {{"vae.save", "save", {link("vae", "vae"), value("filename_prefix", "file", output_file(".safetensors"))}}}},
    };
}

}  // namespace nodes
