// ComfyUI's loaders, and the nodes that only carry a value.
#include "nodes/interchange/comfy_values.h"

namespace nodes {
namespace {

bool is_tiny(const ComfyValues& values) { return values.value("vae_name").toString().startsWith("tae"); }
bool is_whole(const ComfyValues& values) { return !is_tiny(values); }

// "taesd" stands for the two files of a tiny autoencoder.
ComfyConversion tiny_file(const char* half) {
    return {[half](const QJsonValue& value, ComfyValues& values) -> QJsonValue {
                return model_file({"vae_approx"}).forward(value.toString() + half + ".safetensors", values);
            },
            {}};
}

std::string known_encoder(const ComfyValues& values, const char* kind) {
    const std::string type = values.value("type").toString().toStdString();
    return type == kind ? std::string() : "text encoders of type " + type + " have no counterpart";
}

ComfyClass constant(const char* name, const char* input) {
    return {.name = name, .inputs = input, .outputs = "value", .constant = "value"};
}

}  // namespace

std::vector<ComfyClass> comfy_classes_load() {
    return {
        {.name = "CheckpointLoaderSimple",
         .inputs = "ckpt_name:COMBO",
         .outputs = "MODEL CLIP VAE",
         .parts = {{"model.load",
                    "model",
                    {value("ckpt_name", "file", model_file({"checkpoints"})), out("MODEL", "model"),
                     out("CLIP", "encoder"), out("VAE", "vae")}}}},
        {.name = "CheckpointLoader",
         .inputs = "config_name:COMBO ckpt_name:COMBO",
         .outputs = "MODEL CLIP VAE",
         .parts = {{"model.load",
                    "model",
                    {value("ckpt_name", "file", model_file({"checkpoints"})), out("MODEL", "model"),
                     out("CLIP", "encoder"), out("VAE", "vae")}}},
         .note = "the model's own weights say what the configuration would",
         .exported = false},
        {.name = "unCLIPCheckpointLoader",
         .inputs = "ckpt_name:COMBO",
         .outputs = "MODEL CLIP VAE CLIP_VISION",
         .parts = {{"model.load",
                    "model",
                    {value("ckpt_name", "file", model_file({"checkpoints"})), out("MODEL", "model"),
                     out("CLIP", "encoder"), out("VAE", "vae")}},
                   {"vision.load",
                    "vision",
                    {value("ckpt_name", "file", model_file({"checkpoints"})), out("CLIP_VISION", "vision")}}},
         .exported = false},
        {.name = "DiffusersLoader",
         .inputs = "model_path:COMBO",
         .outputs = "MODEL CLIP VAE",
         .parts = {{"model.load",
                    "model",
                    {value("model_path", "file", model_file({"diffusers"})), out("MODEL", "model"),
                     out("CLIP", "encoder"), out("VAE", "vae")}}},
         .exported = false},
        {.name = "UNETLoader",
         .inputs = "unet_name:COMBO weight_dtype:COMBO=default",
         .outputs = "MODEL",
         .parts = {{"model.load_unet",
                    "model",
                    {value("unet_name", "file", model_file({"diffusion_models", "unet"})), out("MODEL", "model")}}},
         .note = "weights stay as the file has them"},
        {.name = "CLIPLoader",
         .inputs = "clip_name:COMBO type:COMBO=stable_diffusion ?device:COMBO=default",
         .outputs = "CLIP",
         .parts = {{"text.encoder_load",
                    "encoder",
                    {value("clip_name", "file", model_file({"text_encoders", "clip"})), out("CLIP", "encoder")}}},
         .refuse = [](const ComfyValues& values) { return known_encoder(values, "stable_diffusion"); }},
        {.name = "DualCLIPLoader",
         .inputs = "clip_name1:COMBO clip_name2:COMBO type:COMBO=sdxl ?device:COMBO=default",
         .outputs = "CLIP",
         .parts = {{"text.encoder_load",
                    "encoder",
                    {value("clip_name1", "file", model_file({"text_encoders", "clip"})),
                     value("clip_name2", "second", model_file({"text_encoders", "clip"})), fixed("kind", "sdxl"),
                     out("CLIP", "encoder")}}},
         .refuse = [](const ComfyValues& values) { return known_encoder(values, "sdxl"); }},
        {.name = "VAELoader",
         .inputs = "vae_name:COMBO",
         .outputs = "VAE",
         .parts = {{"vae.load", "vae", {value("vae_name", "file", model_file({"vae"})), out("VAE", "vae")}, is_whole},
                   {"vae.load_tiny",
                    "vae",
                    {value("vae_name", "encoder", tiny_file("_encoder")),
                     value("vae_name", "decoder", tiny_file("_decoder")), out("VAE", "vae")},
                    is_tiny}}},
        {.name = "ControlNetLoader",
         .inputs = "control_net_name:COMBO",
         .outputs = "CONTROL_NET",
         .parts = {{"control.load",
                    "control",
                    {value("control_net_name", "file", model_file({"controlnet", "t2i_adapter"})),
                     out("CONTROL_NET", "control")}}}},
        {.name = "DiffControlNetLoader",
         .inputs = "model:MODEL control_net_name:COMBO",
         .outputs = "CONTROL_NET",
         .parts = {{"control.load",
                    "control",
                    {value("control_net_name", "file", model_file({"controlnet"})), out("CONTROL_NET", "control")}}},
         .note = "the difference is taken from the model that is sampled",
         .told = true,
         .exported = false},
        {.name = "CLIPVisionLoader",
         .inputs = "clip_name:COMBO",
         .outputs = "CLIP_VISION",
         .parts = {{"vision.load",
                    "vision",
                    {value("clip_name", "file", model_file({"clip_vision"})), out("CLIP_VISION", "vision")}}}},
        {.name = "CLIPVisionEncode",
         .inputs = "clip_vision:CLIP_VISION image:IMAGE crop:COMBO=center",
         .outputs = "CLIP_VISION_OUTPUT",
         .parts = {{"vision.encode",
                    "look",
                    {link("clip_vision", "vision"), link("image", "image"),
                     value("crop", "fit", names({{"center", "crop"}, {"none", "stretch"}})),
                     out("CLIP_VISION_OUTPUT", "embedding")}}}},
        {.name = "LoadImage",
         .inputs = "image:COMBO^",
         .outputs = "IMAGE MASK",
         .parts = {{"image.load", "image", {value("image", "file", input_file()), out("IMAGE", "image")}},
                   {"mask.from_image",
                    "mask",
                    {wire("image", "image", "image"), fixed("channel", "alpha"), fixed("invert", true),
                     out("MASK", "mask")}}},
         .note = "transparent parts keep their alpha, and stand on white where they are encoded"},
        {.name = "LoadImageOutput",
         .inputs = "image:COMBO^",
         .outputs = "IMAGE MASK",
         .parts = {{"image.load", "image", {value("image", "file", input_file()), out("IMAGE", "image")}},
                   {"mask.from_image",
                    "mask",
                    {wire("image", "image", "image"), fixed("channel", "alpha"), fixed("invert", true),
                     out("MASK", "mask")}}},
         .exported = false},
        {.name = "LoadImageMask",
         .inputs = "image:COMBO^ channel:COMBO=alpha",
         .outputs = "MASK",
         .parts = {{"mask.from_image",
                    "mask",
                    {wire("image", "image", "image"), value("channel", "channel"),
                     when([](const ComfyValues& values) { return values.value("channel").toString() == "alpha"; },
                          fixed("invert", true)),
                     out("MASK", "mask")}},
                   {"image.load", "image", {value("image", "file", input_file())}}},
         .exported = false},
        constant("PrimitiveInt", "value:INT!=0"),
        constant("PrimitiveFloat", "value:FLOAT=0"),
        constant("PrimitiveBoolean", "value:BOOLEAN=false"),
        constant("PrimitiveString", "value:STRING="),
        constant("PrimitiveStringMultiline", "value:STRING="),
    };
}

}  // namespace nodes
