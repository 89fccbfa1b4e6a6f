// ComfyUI's videos: batches of pictures, and files. Stable Video Diffusion itself has no counterpart (comfy_classes_others.cpp).
#include <algorithm>
#include <cmath>

#include "nodes/interchange/comfy_values.h"

namespace nodes {
namespace {

// The frames that `input` brings, written as a video; `rules` are those of the file.
std::vector<ComfyPart> saved(const char* input, std::vector<ComfyRule> rules) {
    rules.insert(rules.begin(), wire("frames", "video", "video"));
    return {{"video.save", "save", std::move(rules)},
            {"video.from_frames", "frames", {link(input, "images"), value("fps", "rate")}}};
}

bool lossless(const ComfyValues& values) { return values.value("lossless").toBool(); }
bool lossy(const ComfyValues& values) { return !lossless(values); }

// WebP's own scale. At 100 ComfyUI still loses something, Heddle does not.
ComfyConversion webp_quality() {
    return {[](const QJsonValue& value, ComfyValues&) -> QJsonValue { return std::clamp(value.toInt(80), 1, 99); }, {}};
}

// VP9's CRF of 0 to 63 as video.save counts: 100 the best.
ComfyConversion vp9_quality() {
    return {[](const QJsonValue& value, ComfyValues&) -> QJsonValue {
                return std::clamp(static_cast<int>(std::lround(100 - value.toDouble(32) * 100 / 63)), 1, 100);
            },
            {}};
}

}  // namespace

std::vector<ComfyClass> comfy_classes_video() {
    return {
        {.name = "SaveAnimatedWEBP",
         .inputs = "images:IMAGE filename_prefix:STRING=ComfyUI fps:FLOAT=6 lossless:BOOLEAN=true quality:INT=80 "
                   "method:COMBO",
         .outputs = "",
         .parts = saved("images", {value("filename_prefix", "file", output_file(".webp")),
                                   when(lossless, fixed("quality", 100)), when(lossy, value("quality", "quality", webp_quality()))}),
         .note = "writes `ComfyUI.webp`; `method` is the encoder's own",
         .exported = false},
        {.name = "SaveAnimatedPNG",
         .inputs = "images:IMAGE filename_prefix:STRING=ComfyUI fps:FLOAT=6 compress_level:INT=4",
         .outputs = "",
         .parts = saved("images", {value("filename_prefix", "file", output_file(".apng"))}),
         .note = "writes `ComfyUI.apng`",
         .exported = false},
        {.name = "SaveWEBM",
         .inputs = "images:IMAGE filename_prefix:STRING=ComfyUI codec:COMBO=vp9 fps:FLOAT=24 crf:FLOAT=32",
         .outputs = "",
         .parts = saved("images", {value("filename_prefix", "file", output_file(".webm")), value("crf", "quality", vp9_quality())}),
         .refuse = [](const ComfyValues& values) -> std::string {
             return values.value("codec").toString() == "av1" ? "AV1 has no counterpart" : "";
         },
         .note = "writes `ComfyUI.webm` in VP9",
         .exported = false},
        {.name = "CreateVideo",
         .inputs = "images:IMAGE fps:FLOAT=30 ?audio:AUDIO",
         .outputs = "VIDEO",
         .parts = {{"video.from_frames", "frames", {link("images", "images"), value("fps", "rate"), out("VIDEO", "video")}}},
         .refuse = [](const ComfyValues& values) -> std::string { return values.linked("audio") ? "sound that is made has no counterpart" : ""; }},
        {.name = "SaveVideo",
         .inputs = "video:VIDEO filename_prefix:STRING=video/ComfyUI format:COMBO=auto codec:COMBO=auto",
         .outputs = "",
         .parts = {{"video.save",
                    "save",
                    {link("video", "video"), value("filename_prefix", "file", output_file(".mp4")),
                     value("codec", "codec", names({{"auto", "auto"}, {"h264", "h264"}}))}}},
         .note = "writes `ComfyUI.mp4`; the next run replaces it",
         .exported = false},
        {.name = "LoadVideo",
         .inputs = "file:COMBO",
         .outputs = "VIDEO",
         .parts = {{"video.load", "video", {value("file", "file", input_file()), out("VIDEO", "video")}}}},
    };
}

}  // namespace nodes
