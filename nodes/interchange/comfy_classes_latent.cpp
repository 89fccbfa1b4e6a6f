// ComfyUI's latents and autoencoders.
#include "nodes/interchange/comfy_values.h"

namespace nodes {
namespace {

ComfyConversion latent_filter() {
    return names({{"nearest-exact", "nearest"},
                  {"bilinear", "bilinear"},
                  {"area", "area"},
                  {"bicubic", "bicubic"},
                  {"bislerp", "bislerp"}});
}

ComfyPart math(const char* operation, std::vector<ComfyRule> rules) {
    rules.push_back(fixed("operation", operation));
    rules.push_back(out("LATENT", "latent"));
    return {"latent.math", operation, std::move(rules)};
}

std::vector<ComfyRule> tiled(std::vector<ComfyRule> rules) {
    rules.insert(rules.end(), {fixed("tiles", "on"), value("tile_size", "tile"), value("overlap")});
    return rules;
}

bool turns(const ComfyValues& values) { return values.value("rotation").toString() != "none"; }

}  // namespace

std::vector<ComfyClass> comfy_classes_latent() {
    return {
        {.name = "EmptyLatentImage",
         .inputs = "width:INT=512 height:INT=512 batch_size:INT=1",
         .outputs = "LATENT",
         .parts = {{"latent.empty",
                    "size",
                    {value("width"), value("height"), value("batch_size", "batch"), out("LATENT", "latent")}}},
         .note = "takes its channels from the model that samples it"},
        {.name = "LatentUpscale",
         .inputs = "samples:LATENT upscale_method:COMBO=nearest-exact width:INT=512 height:INT=512 crop:COMBO=disabled",
         .outputs = "LATENT",
         .parts = {{"latent.resize",
                    "enlarge",
                    {link("samples", "latent"), fixed("by", "size"), value("upscale_method", "filter", latent_filter()),
                     value("width"), value("height"), out("LATENT", "latent")}}},
         .refuse = [](const ComfyValues& values) -> std::string {
             return values.value("crop").toString() == "center"
                        ? "cutting around the middle (crop: center) has no counterpart"
                        : "";
         }},
        {.name = "LatentUpscaleBy",
         .inputs = "samples:LATENT upscale_method:COMBO=nearest-exact scale_by:FLOAT=1.5",
         .outputs = "LATENT",
         .parts = {{"latent.resize",
                    "enlarge",
                    {link("samples", "latent"), fixed("by", "scale"),
                     value("upscale_method", "filter", latent_filter()), value("scale_by", "scale"),
                     out("LATENT", "latent")}}}},
        {.name = "LatentRotate",
         .inputs = "samples:LATENT rotation:COMBO=none",
         .outputs = "LATENT",
         .parts = {{"latent.rotate",
                    "rotate",
                    {link("samples", "latent"),
                     value("rotation", "angle",
                           names({{"90 degrees", "90"}, {"180 degrees", "180"}, {"270 degrees", "270"}})),
                     out("LATENT", "latent")},
                    turns}},
         .passes = {{"LATENT", "samples"}}},
        {.name = "LatentFlip",
         .inputs = "samples:LATENT flip_method:COMBO=x-axis",
         .outputs = "LATENT",
         .parts = {{"latent.flip",
                    "flip",
                    {link("samples", "latent"),
                     value("flip_method", "axis",
                           {[](const QJsonValue& given, ComfyValues&) -> QJsonValue {
                                return QString(given.toString().startsWith('x') ? "vertical" : "horizontal");
                            },
                            [](const QJsonValue& given) -> QJsonValue {
                                return QString(given.toString() == "vertical" ? "x-axis: vertically"
                                                                              : "y-axis: horizontally");
                            }}),
                     out("LATENT", "latent")}}}},
        {.name = "LatentCrop",
         .inputs = "samples:LATENT width:INT=512 height:INT=512 x:INT=0 y:INT=0",
         .outputs = "LATENT",
         .parts = {{"latent.crop",
                    "crop",
                    {link("samples", "latent"), value("width"), value("height"), value("x"), value("y"),
                     out("LATENT", "latent")}}}},
        {.name = "LatentComposite",
         .inputs = "samples_to:LATENT samples_from:LATENT x:INT=0 y:INT=0 feather:INT=0",
         .outputs = "LATENT",
         .parts = {{"latent.composite",
                    "composite",
                    {link("samples_to", "under"), link("samples_from", "over"), value("x"), value("y"),
                     value("feather"), out("LATENT", "latent")}}}},
        {.name = "LatentCompositeMasked",
         .inputs = "destination:LATENT source:LATENT x:INT=0 y:INT=0 resize_source:BOOLEAN=false ?mask:MASK",
         .outputs = "LATENT",
         .parts = {{"latent.composite",
                    "composite",
                    {link("destination", "under"), link("source", "over"), link("mask", "mask"), value("x"), value("y"),
                     out("LATENT", "latent")}}},
         .refuse = [](const ComfyValues& values) -> std::string {
             return values.value("resize_source").toBool() ? "stretching the source (resize_source) has no counterpart"
                                                           : "";
         }},
        {.name = "LatentBlend",
         .inputs = "samples1:LATENT samples2:LATENT blend_factor:FLOAT=0.5",
         .outputs = "LATENT",
         .parts = {{"latent.blend",
                    "blend",
                    {link("samples1", "a"), link("samples2", "b"), fixed("mode", "linear"),
                     value("blend_factor", "factor", complement()), out("LATENT", "latent")}}}},
        {.name = "LatentInterpolate",
         .inputs = "samples1:LATENT samples2:LATENT ratio:FLOAT=1",
         .outputs = "LATENT",
         .parts = {{"latent.blend",
                    "blend",
                    {link("samples1", "a"), link("samples2", "b"), fixed("mode", "direction"),
                     value("ratio", "factor", complement()), out("LATENT", "latent")}}}},
        {.name = "LatentAdd",
         .inputs = "samples1:LATENT samples2:LATENT",
         .outputs = "LATENT",
         .parts = {math("add", {link("samples1", "a"), link("samples2", "b")})}},
        {.name = "LatentSubtract",
         .inputs = "samples1:LATENT samples2:LATENT",
         .outputs = "LATENT",
         .parts = {math("subtract", {link("samples1", "a"), link("samples2", "b")})}},
        {.name = "LatentMultiply",
         .inputs = "samples:LATENT multiplier:FLOAT=1",
         .outputs = "LATENT",
         .parts = {math("multiply", {link("samples", "a"), value("multiplier", "amount")})}},
        {.name = "LatentBatch",
         .inputs = "samples1:LATENT samples2:LATENT",
         .outputs = "LATENT",
         .parts = {{"latent.batch", "batch", {link("samples1", "a"), link("samples2", "b"), out("LATENT", "latent")}}}},
        {.name = "LatentFromBatch",
         .inputs = "samples:LATENT batch_index:INT=0 length:INT=1",
         .outputs = "LATENT",
         .parts = {{"latent.pick",
                    "pick",
                    {link("samples", "latent"), value("batch_index", "index"), value("length", "count"),
                     out("LATENT", "latent")}}}},
        {.name = "RepeatLatentBatch",
         .inputs = "samples:LATENT amount:INT=1",
         .outputs = "LATENT",
         .parts = {{"latent.repeat",
                    "repeat",
                    {link("samples", "latent"), value("amount", "times"), out("LATENT", "latent")}}}},
        {.name = "RebatchLatents",
         .inputs = "latents:LATENT batch_size:INT=1",
         .outputs = "LATENT",
         .passes = {{"LATENT", "latents"}},
         .note = "all of a batch is worked on together"},
        {.name = "SetLatentNoiseMask",
         .inputs = "samples:LATENT mask:MASK",
         .outputs = "LATENT",
         .parts = {{"latent.set_mask",
                    "masked",
                    {link("samples", "latent"), link("mask", "mask"), out("LATENT", "latent")}}}},
        {.name = "VAEEncode",
         .inputs = "pixels:IMAGE vae:VAE",
         .outputs = "LATENT",
         .parts = {{"vae.encode", "encode", {link("pixels", "image"), link("vae", "vae"), out("LATENT", "latent")}}}},
        {.name = "VAEEncodeTiled",
         .inputs = "pixels:IMAGE vae:VAE tile_size:INT=512 overlap:INT=64 temporal_size:INT=64 temporal_overlap:INT=8",
         .outputs = "LATENT",
         .parts = {{"vae.encode", "encode",
                    tiled({link("pixels", "image"), link("vae", "vae"), out("LATENT", "latent")})}}},
        {.name = "VAEEncodeForInpaint",
         .inputs = "pixels:IMAGE vae:VAE mask:MASK grow_mask_by:INT=6",
         .outputs = "LATENT",
         .parts = {{"vae.encode_inpaint",
                    "encode",
                    {link("pixels", "image"), link("mask", "mask"), link("vae", "vae"), value("grow_mask_by", "grow"),
                     out("LATENT", "latent")}}},
         .note = "shows the picture to models with `inpaint` in their name, as ComfyUI does to inpainting models"},
        {.name = "VAEDecode",
         .inputs = "samples:LATENT vae:VAE",
         .outputs = "IMAGE",
         .parts = {{"vae.decode", "decode", {link("samples", "latent"), link("vae", "vae"), out("IMAGE", "image")}}}},
        {.name = "VAEDecodeTiled",
         .inputs =
             "samples:LATENT vae:VAE tile_size:INT=512 overlap:INT=64 temporal_size:INT=64 temporal_overlap:INT=8",
         .outputs = "IMAGE",
         .parts = {{"vae.decode", "decode",
                    tiled({link("samples", "latent"), link("vae", "vae"), out("IMAGE", "image")})}}},
    };
}

}  // namespace nodes
