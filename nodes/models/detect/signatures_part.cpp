#include "gpu/base/format.h"
#include "nodes/models/clip/keys.h"
#include "nodes/models/detect/complete.h"
#include "nodes/models/detect/signatures.h"
#include "nodes/models/upscale/load.h"
#include "nodes/models/vae/keys.h"

namespace nodes {
namespace {

bool autoencoder(const FileNames& names, ModelFacts& facts) {
    if (names.files().size() != 1) return false;
    const gpu::Checkpoint& file = names.files()[0];
    const std::optional<VaePlace> place = find_vae(file);
    if (!place) return false;
    facts.kind = place->kind == VaeKind::Vq ? FileKind::Vq : FileKind::Vae;
    facts.layout = place->diffusers ? "diffusers" : "ldm";
    if (place->kind == VaeKind::Temporal) facts.variant = "temporal", facts.family = "svd";
    describe_vae(file, *place, facts);
    return true;
}

// TAESD: numbers as keys, or diffusers' AutoencoderTiny.
bool tiny_autoencoder(const FileNames& names, ModelFacts& facts) {
    const bool numbered = (names.has("14.weight") && names.has("1.conv.0.weight")) || (names.has("19.weight") && names.has("3.conv.0.weight"));
    const bool theirs = names.has("encoder.layers.0.weight") && names.has("encoder.layers.1.conv.0.weight");
    const bool both = names.starting("taesd_decoder.") || names.has("decoder.19.weight");
    if (!numbered && !theirs && !both) return false;
    facts.kind = FileKind::TinyVae;
    facts.layout = theirs ? "diffusers" : "original";
    for (const char* last : {"14.weight", "encoder.layers.14.weight", "taesd_encoder.14.weight", "encoder.14.weight"})
        if (const auto channels = names.length(last, 0)) facts.notes.push_back(gpu::format("{} latent channels.", channels));
    if (facts.notes.empty())
        for (const char* first : {"1.weight", "taesd_decoder.1.weight", "decoder.1.weight"})
            if (const auto channels = names.length(first, 1)) facts.notes.push_back(gpu::format("{} latent channels.", channels));
    facts.variant = numbered ? names.has("14.weight") && !names.has("19.weight") ? "encoder" : "decoder" : "";
    return true;
}

bool text_encoder(const FileNames& names, ModelFacts& facts) {
    const std::vector<ClipPlace> places = find_clip_text(names.files());
    if (places.empty()) return false;
    if (!find_clip_vision(names.files()).empty()) facts.notes.push_back("A vision tower comes with it.");
    facts.kind = FileKind::TextEncoder;
    facts.layout = places[0].layout == ClipLayout::OpenClip ? "OpenCLIP" : "transformers";
    const int width = places[0].width;
    facts.family = places.size() > 1 ? "sdxl" : width == 768 ? "sd1" : width == 1024 ? "sd2" : width == 1280 ? "sdxl" : "pico";
    facts.variant = places.size() > 1 ? "" : width == 768 ? "CLIP-L" : width == 1024 ? "OpenCLIP-H" : width == 1280 ? "OpenCLIP-bigG" : "";
    return true;
}

bool vision_encoder(const FileNames& names, ModelFacts& facts) {
    const std::vector<ClipPlace> places = find_clip_vision(names.files());
    if (places.empty()) return false;
    facts.kind = FileKind::VisionEncoder;
    facts.layout = places[0].layout == ClipLayout::OpenClip ? "OpenCLIP" : "transformers";
    const int width = places[0].width;
    facts.variant = width == 1024 ? "CLIP-L" : width == 1280 ? "CLIP-H" : width == 1664 ? "CLIP-bigG" : "";
    return true;
}

bool other_text_encoder(const FileNames& names, ModelFacts& facts) {
    if (!names.containing("encoder.block.0.layer.0.SelfAttention.q.weight") && !names.containing("blk.0.attn_q.weight")) return false;
    facts.kind = FileKind::TextEncoder, facts.variant = "T5 or another language model";
    facts.notes.push_back("No model that is supported reads it.");
    return true;
}

bool upscaler(const FileNames& names, ModelFacts& facts) {
    if (names.files().size() != 1) return false;
    const std::optional<UpscalerPlace> place = find_upscaler(names.files()[0]);
    if (!place) return false;
    facts.kind = FileKind::Upscaler;
    facts.variant = describe(*place);
    constexpr const char* layouts[] = {"Real-ESRGAN", "ESRGAN", "ESRGAN, numbered", "Real-ESRGAN"};
    facts.layout = layouts[static_cast<int>(place->layout)];
    return true;
}

constexpr Signature signatures[] = {{"autoencoder", autoencoder}, {"tiny autoencoder", tiny_autoencoder}, {"CLIP text", text_encoder},
                                    {"CLIP vision", vision_encoder}, {"upscaler", upscaler}, {"other text encoders", other_text_encoder}};

}  // namespace

std::span<const Signature> part_signatures() { return signatures; }

}  // namespace nodes
