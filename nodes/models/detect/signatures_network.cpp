#include "nodes/models/detect/complete.h"
#include "nodes/models/detect/signatures.h"
#include "nodes/models/unet/keys.h"

namespace nodes {
namespace {

// Stable Video Diffusion: layers over time beside those of SD 2.
bool video_model(const FileNames& names, ModelFacts& facts) {
    if (!names.containing(".time_stack.in_layers.") && !names.containing("temporal_res_block.")) return false;
    if (!names.containing("input_blocks.0.0.weight") && !(names.has("conv_in.weight") && names.has("time_embedding.linear_1.weight"))) return false;
    facts.kind = FileKind::VideoModel;
    facts.family = "svd", facts.prediction = "v";
    facts.layout = names.containing(".time_stack.") ? "ldm" : "diffusers";
    if (names.has("conditioner.embedders.0.open_clip.model.visual.proj")) facts.parts = {"UNet", "autoencoder", "vision encoder"};
    return true;
}

// Networks of other architectures, named so that nobody wonders.
bool foreign(const FileNames& names, ModelFacts& facts) {
    struct Mark {
        const char *text, *family;
    };
    constexpr Mark marks[] = {{"double_blocks.0.img_attn.norm.key_norm.scale", "flux"}, {"joint_blocks.0.context_block.attn.qkv.weight", "sd3"},
                              {"single_transformer_blocks.0.attn.norm_k.weight", "flux"}, {"down_blocks.0.1.depthwise.weight", "cascade"},
                              {"cap_embedder.1.weight", "lumina"}, {"caption_projection.y_embedding", "pixart"}};
    for (const Mark& mark : marks)
        if (names.containing(mark.text)) {
            facts.kind = FileKind::Unet, facts.family = mark.family;
            facts.notes.push_back("A network of another architecture, which is not supported.");
            return true;
        }
    return false;
}

bool unet(const FileNames& names, ModelFacts& facts) {
    const std::optional<UnetPlace> place = find_unet(names.files());
    if (!place) return false;
    const bool text = names.starting("cond_stage_model.") || names.starting("conditioner.embedders.");
    const bool vae = names.starting("first_stage_model.");
    facts.kind = text || vae ? FileKind::Checkpoint : FileKind::Unet;
    facts.layout = place->diffusers ? "diffusers" : "ldm";
    if (facts.kind == FileKind::Checkpoint) {
        facts.parts = {"UNet"};
        if (vae) facts.parts.push_back("autoencoder");
        if (text) facts.parts.push_back("text encoder");
    }
    describe_unet(names, *place, facts);
    return true;
}

constexpr Signature signatures[] = {{"Stable Video Diffusion", video_model}, {"other architectures", foreign}, {"UNet, alone or in a checkpoint", unet}};

}  // namespace

std::span<const Signature> network_signatures() { return signatures; }

}  // namespace nodes
