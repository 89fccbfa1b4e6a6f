// ComfyUI's prompts and conditionings.
#include "nodes/interchange/comfy_values.h"

namespace nodes {
namespace {

ComfyPart control_part(const char* side) {
    return {"control.condition", std::string(side) + "-control",
            {link(side, "conditioning"), link("control_net", "control"), link("image", "image"), value("strength"), value("start_percent", "start"),
             value("end_percent", "end"), out(side, "conditioning")}};
}

// CLIPSetLastLayer acts on whatever is encoded behind it.
ComfyRule skip_rule() { return above("clip", "CLIPSetLastLayer", "stop_at_clip_layer", "skip", skipped_layers()); }

ComfyPart area_part(const char* unit) {
    return {"conditioning.area", "area",
            {link("conditioning", "conditioning"), fixed("unit", unit), value("x"), value("y"), value("width"), value("height"), value("strength"),
             out("CONDITIONING", "conditioning")}};
}

bool keeps_mask(const ComfyValues& values) { return values.value("noise_mask").toBool(true); }
bool drops_mask(const ComfyValues& values) { return !keeps_mask(values); }

}  // namespace

std::vector<ComfyClass> comfy_classes_conditioning() {
    return {
        {.name = "CLIPTextEncode",
         .inputs = "text:STRING clip:CLIP",
         .outputs = "CONDITIONING",
         .parts = {{"text.encode", "prompt", {link("clip", "encoder"), text("text", "text", "prompt"), skip_rule(), out("CONDITIONING", "conditioning")}}}},
        {.name = "CLIPTextEncodeSDXL",
         .inputs = "clip:CLIP width:INT=1024 height:INT=1024 crop_w:INT=0 crop_h:INT=0 target_width:INT=1024 target_height:INT=1024 text_g:STRING text_l:STRING",
         .outputs = "CONDITIONING",
         .parts = {{"text.encode_sdxl", "prompt",
                    {link("clip", "encoder"), value("width"), value("height"), value("crop_w", "left"), value("crop_h", "top"), value("target_width"),
                     value("target_height"), value("text_g", "text_g", prompt()), value("text_l", "text_l", prompt()), skip_rule(),
                     out("CONDITIONING", "conditioning")}}}},
        {.name = "CLIPTextEncodeSDXLRefiner",
         .inputs = "ascore:FLOAT=6 width:INT=1024 height:INT=1024 text:STRING clip:CLIP",
         .outputs = "CONDITIONING",
         .parts = {{"conditioning.size", "size",
                    {wire("prompt", "conditioning", "conditioning"), value("ascore", "aesthetic"), value("width"), value("height"), out("CONDITIONING", "conditioning")}},
                   {"text.encode", "prompt", {link("clip", "encoder"), text("text", "text", "prompt"), skip_rule()}}},
         .exported = false},
        {.name = "CLIPSetLastLayer",
         .inputs = "clip:CLIP stop_at_clip_layer:INT=-1",
         .outputs = "CLIP",
         .passes = {{"CLIP", "clip"}},
         .note = "sets `skip` of the prompts behind it"},
        {.name = "ConditioningCombine",
         .inputs = "conditioning_1:CONDITIONING conditioning_2:CONDITIONING",
         .outputs = "CONDITIONING",
         .parts = {{"conditioning.combine", "combine", {link("conditioning_1", "a"), link("conditioning_2", "b"), out("CONDITIONING", "conditioning")}}}},
        {.name = "ConditioningAverage",
         .inputs = "conditioning_to:CONDITIONING conditioning_from:CONDITIONING conditioning_to_strength:FLOAT=1",
         .outputs = "CONDITIONING",
         .parts = {{"conditioning.average", "average",
                    {link("conditioning_to", "a"), link("conditioning_from", "b"), value("conditioning_to_strength", "weight"), out("CONDITIONING", "conditioning")}}}},
        {.name = "ConditioningConcat",
         .inputs = "conditioning_to:CONDITIONING conditioning_from:CONDITIONING",
         .outputs = "CONDITIONING",
         .parts = {{"conditioning.concat", "concat", {link("conditioning_to", "first"), link("conditioning_from", "then"), out("CONDITIONING", "conditioning")}}}},
        {.name = "ConditioningSetArea",
         .inputs = "conditioning:CONDITIONING width:INT=64 height:INT=64 x:INT=0 y:INT=0 strength:FLOAT=1",
         .outputs = "CONDITIONING",
         .parts = {area_part("pixels")}},
        {.name = "ConditioningSetAreaPercentage",
         .inputs = "conditioning:CONDITIONING width:FLOAT=1 height:FLOAT=1 x:FLOAT=0 y:FLOAT=0 strength:FLOAT=1",
         .outputs = "CONDITIONING",
         .parts = {area_part("share")}},
        {.name = "ConditioningSetAreaStrength",
         .inputs = "conditioning:CONDITIONING strength:FLOAT=1",
         .outputs = "CONDITIONING",
         .parts = {{"conditioning.strength", "strength", {link("conditioning", "conditioning"), value("strength"), out("CONDITIONING", "conditioning")}}},
         .note = "multiplies a weight that is there already",
         .told = true},
        {.name = "ConditioningSetMask",
         .inputs = "conditioning:CONDITIONING mask:MASK strength:FLOAT=1 set_cond_area:COMBO=default",
         .outputs = "CONDITIONING",
         .parts = {{"conditioning.mask", "where", {link("conditioning", "conditioning"), link("mask", "mask"), value("strength"), out("CONDITIONING", "conditioning")}}},
         .note = "predicts the whole picture, whatever `set_cond_area`",
         .told = true},
        {.name = "ConditioningZeroOut",
         .inputs = "conditioning:CONDITIONING",
         .outputs = "CONDITIONING",
         .parts = {{"conditioning.zero", "zero", {link("conditioning", "conditioning"), out("CONDITIONING", "conditioning")}}}},
        {.name = "ConditioningSetTimestepRange",
         .inputs = "conditioning:CONDITIONING start:FLOAT=0 end:FLOAT=1",
         .outputs = "CONDITIONING",
         .parts = {{"conditioning.range", "range", {link("conditioning", "conditioning"), value("start"), value("end"), out("CONDITIONING", "conditioning")}}}},
        {.name = "ControlNetApply",
         .inputs = "conditioning:CONDITIONING control_net:CONTROL_NET image:IMAGE strength:FLOAT=1",
         .outputs = "CONDITIONING",
         .parts = {{"control.condition", "control",
                    {link("conditioning", "conditioning"), link("control_net", "control"), link("image", "image"), value("strength"),
                     out("CONDITIONING", "conditioning")}}},
         .note = "steers both halves of guidance"},
        {.name = "ControlNetApplyAdvanced",
         .inputs = "positive:CONDITIONING negative:CONDITIONING control_net:CONTROL_NET image:IMAGE strength:FLOAT=1 start_percent:FLOAT=0 end_percent:FLOAT=1 ?vae:VAE",
         .outputs = "positive negative",
         .parts = {control_part("positive"), control_part("negative")},
         .exported = false},
        {.name = "InpaintModelConditioning",
         .inputs = "positive:CONDITIONING negative:CONDITIONING vae:VAE pixels:IMAGE mask:MASK noise_mask:BOOLEAN=true",
         .outputs = "positive negative latent model",
         .parts = {{"inpaint.model_condition", "inpaint",
                    {link("model", "model"), link("vae", "vae"), link("pixels", "image"), link("mask", "mask"), out("model", "model"),
                     when(drops_mask, out("latent", "latent"))}},
                   {"latent.set_mask", "masked", {wire("inpaint", "latent", "latent"), link("mask", "mask"), out("latent", "latent")}, keeps_mask}},
         .passes = {{"positive", "positive"}, {"negative", "negative"}},
         .model_side = true,
         .exported = false},
        {.name = "InstructPixToPixConditioning",
         .inputs = "positive:CONDITIONING negative:CONDITIONING vae:VAE pixels:IMAGE",
         .outputs = "positive negative latent model",
         .parts = {{"instruct.model_condition", "edit",
                    {link("model", "model"), link("vae", "vae"), link("pixels", "image"), out("model", "model"), out("latent", "latent")}}},
         .passes = {{"positive", "positive"}, {"negative", "negative"}},
         .model_side = true,
         .exported = false},
    };
}

}  // namespace nodes
