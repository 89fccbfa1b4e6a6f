#include "gpu/base/error.h"
#include "nodes/models/clip/text.h"
#include "nodes/models/detect/complete.h"
#include "nodes/models/detect/signatures.h"
#include "nodes/models/lora/patch.h"
#include "nodes/models/t2i_adapter/t2i_adapter.h"
#include "nodes/models/unet/unet.h"

namespace nodes {
namespace {

std::string family_of_cross_attention(const FileNames& names) { return family_of_context(FileNames::length(names.ending("attn2.to_k.weight"), -1)); }

// arXiv:2308.06721: the projector tells the variant.
bool ip_adapter(const FileNames& names, ModelFacts& facts) {
    if (!names.starting("ip_adapter.")) return false;
    facts.kind = FileKind::IpAdapter;
    facts.family = family_of_context(FileNames::length(names.ending(".to_k_ip.weight"), -1));
    facts.layout = "original";
    if (names.has("image_proj.proj.3.weight")) facts.variant = "full";
    if (names.has("image_proj.latents")) facts.variant = "plus";
    if (names.has("image_proj.proj.0.weight") && !names.has("image_proj.proj.3.weight")) facts.variant = "FaceID";
    if (names.has("image_proj.perceiver_resampler.proj_in.weight")) facts.variant = "FaceID plus";
    return true;
}

bool control_lora(const FileNames& names, ModelFacts& facts) {
    if (!names.has("lora_controlnet") && !names.has("control_model.lora_controlnet")) return false;
    facts.kind = FileKind::ControlNet, facts.variant = "Control-LoRA", facts.layout = "ldm";
    const gpu::TensorEntry* down = names.ending("attn2.to_k.down");
    facts.family = family_of_context(FileNames::length(down, -1));
    return true;
}

bool control_net(const FileNames& names, ModelFacts& facts) {
    const bool ours = names.has("control_model.zero_convs.0.0.weight") || names.has("zero_convs.0.0.weight");
    const bool theirs = names.has("controlnet_cond_embedding.conv_in.weight") || names.has("controlnet.controlnet_cond_embedding.conv_in.weight");
    if (!ours && !theirs) return false;
    facts.kind = FileKind::ControlNet;
    facts.layout = ours ? "ldm" : "diffusers";
    facts.family = family_of_cross_attention(names);
    if (names.has("difference")) facts.variant = "difference";
    if (names.has("control_add_embedding.linear_1.weight"))
        facts.variant = "union";
    else if (names.files().size() == 1)
        describe_control(names.files()[0], facts);
    if (names.has("model.diffusion_model.input_blocks.0.0.weight")) facts.notes.push_back("A whole checkpoint comes with it.");
    return true;
}

bool t2i_adapter(const FileNames& names, ModelFacts& facts) {
    if (names.files().size() != 1 || !is_t2i_adapter(names.files()[0])) return false;
    facts.kind = FileKind::T2iAdapter;
    const bool theirs = names.starting("adapter.");
    facts.layout = theirs ? "diffusers" : "original";
    const std::string prefix = theirs ? "adapter." : "";
    if (names.has(prefix + "body.0.out_conv.weight")) facts.variant = "light";
    if (const auto inputs = names.length(prefix + "conv_in.weight", 1)) facts.family = inputs > 64 * 3 ? "sdxl" : "sd1";      // pixels of a cell, 16 x 16 or 8 x 8
    return true;
}

bool motion_module(const FileNames& names, ModelFacts& facts) {
    const gpu::TensorEntry* module = names.containing("motion_modules.");
    if (!module || names.has("conv_in.weight") || names.has("model.diffusion_model.input_blocks.0.0.weight")) return false;
    if (names.containing(".lora_") || names.containing("_lora.")) {
        facts.kind = FileKind::Lora, facts.variant = "motion", facts.family = "sd1";
        facts.layout = "AnimateDiff";
        return true;
    }
    facts.kind = FileKind::MotionModule;
    facts.layout = names.containing(".temporal_transformer.") ? "AnimateDiff" : "diffusers";
    const auto frames = FileNames::length(names.ending("pos_encoder.pe"), 1);
    const bool middle = names.containing("mid_block.motion_modules.");
    const bool levels = names.containing("down_blocks.3.motion_modules.");
    facts.variant = middle ? "version 2" : frames == 24 ? "version 1" : frames == 32 && levels ? "version 3" : !levels ? "SDXL beta" : "";
    facts.family = levels ? "sd1" : "sdxl";
    return true;
}

// A published UNet and its text towers, by names and shapes alone.
gpu::Weights shapes_of(const gpu::Scope& scope) {
    gpu::Weights weights;
    for (const gpu::Scope::Asked& asked : scope.asked()) weights.emplace(asked.name, gpu::Weight{{.name = asked.name, .shape = asked.shape}, nullptr, "shapes"});
    return weights;
}

// Modules of the file that the family's networks have no layer for.
void find_places(const LoraFile& file, ModelFacts& facts) {
    static const std::map<std::string, std::pair<const char*, std::vector<const char*>>> published = {
        {"sd1", {"sd15", {"clip-l"}}}, {"sd2", {"sd21", {"clip-h"}}}, {"sdxl", {"sdxl", {"clip-l", "clip-g"}}}, {"sdxl-refiner", {"refiner", {"clip-g"}}}};
    const auto at = published.find(facts.family);
    if (at == published.end()) {
        facts.unexpected = file.unknown;
        return;
    }
    const gpu::Scope scope = gpu::Scope::shapes();
    const UnetNetwork network(scope, published_unet(at->second.first));
    const LoraNames unet = LoraNames::unet(shapes_of(scope));
    std::vector<LoraNames> towers;
    for (const char* name : at->second.second) {
        const gpu::Scope text = gpu::Scope::shapes();
        const ClipText tower(text, published_clip_text(name));
        towers.push_back(LoraNames::text(shapes_of(text)));
    }
    std::vector<const LoraNames*> list;
    for (const LoraNames& tower : towers) list.push_back(&tower);
    try {
        const std::vector<std::string> unused = apply_lora(std::make_shared<const LoraFile>(file), &unet, list, {}, facts.family).unused;
        facts.unexpected.insert(facts.unexpected.end(), unused.begin(), unused.end());
    } catch (const gpu::Error& error) {
        facts.unexpected.insert(facts.unexpected.end(), file.unknown.begin(), file.unknown.end());
        facts.notes.push_back(std::string("It does not fit the published sizes: ") + error.message());
    }
}

bool lora(const FileNames& names, ModelFacts& facts) {
    if (names.files().size() != 1 || !is_lora(names.files()[0])) return false;
    const LoraFile file = read_lora(names.files()[0]);
    facts.kind = FileKind::Lora;
    const std::string family = lora_family(file);
    for (const char* known : {"sd1", "sd2", "sdxl", "sdxl-refiner"})
        if (family_title(known) == family) facts.family = known;
    if (facts.family.empty() && !family.empty()) facts.family = family == "Flux" ? "flux" : family == "SD 3" ? "sd3" : family;
    const std::string& first = file.modules.front().name;
    facts.layout = !file.counted.empty()                                                  ? "cloneofsimo"
                   : first.starts_with("lycoris_")                                        ? "LyCORIS"
                   : first.starts_with("lora_")                                           ? "kohya"
                   : names.ending(".lora_A.weight") || names.ending(".default.weight")    ? "PEFT"
                   : names.starting("modifier_token.") || names.containing("custom_diffusion") ? "Custom Diffusion"
                                                                                          : "diffusers";
    for (const LoraModule& module : file.modules)
        if (module.form() != "LoRA" && (facts.variant.empty() || facts.variant == "LoCon")) facts.variant = module.form();
    std::map<std::int64_t, int> ranks;
    for (const LoraModule& module : file.modules)
        if (module.rank() > 0) ++ranks[module.rank()];
    facts.notes.push_back(gpu::format("{} modules{}.", file.modules.size(),
                                      ranks.size() == 1 ? gpu::format(" of rank {}", ranks.begin()->first)
                                      : ranks.empty()   ? ""
                                                        : gpu::format(" of ranks {} to {}", ranks.begin()->first, ranks.rbegin()->first)));
    std::string tokens;
    for (const auto& [token, rows] : file.embeddings) tokens += (tokens.empty() ? "" : ", ") + token;
    if (!tokens.empty()) facts.notes.push_back("Embeddings come with it: " + tokens + ".");
    find_places(file, facts);
    return true;
}

// arXiv:2208.01618; the width says which text encoder.
bool embedding(const FileNames& names, ModelFacts& facts) {
    if (names.count() > 8) return false;
    const gpu::TensorEntry* rows = nullptr;
    if (names.has("clip_l") && names.has("clip_g")) {
        facts.family = "sdxl", rows = names.find("clip_l");
    } else if ((rows = names.starting("string_to_param.")) || (rows = names.find("emb_params"))) {
        facts.family = family_of_context(FileNames::length(rows, -1));
    } else if (names.count() == 1) {
        rows = &names.files()[0].entries()[0];
        const auto width = FileNames::length(rows, -1);
        if (rows->shape.size() > 2 || (width != 768 && width != 1024 && width != 1280)) return false;
        facts.family = family_of_context(width);
    }
    if (!rows) return false;
    facts.kind = FileKind::Embedding;
    facts.layout = names.has("emb_params") || names.starting("string_to_param.") ? "A1111" : "diffusers";
    if (facts.family == "sdxl-refiner") facts.family = "sdxl";
    facts.notes.push_back(gpu::format("{} vectors of {} numbers.", rows->shape.size() == 2 ? rows->shape[0] : 1, FileNames::length(rows, -1)));
    return true;
}

constexpr Signature signatures[] = {{"IP-Adapter", ip_adapter},   {"Control-LoRA", control_lora},   {"ControlNet", control_net},
                                    {"T2I-Adapter", t2i_adapter}, {"motion module", motion_module}, {"LoRA family", lora},
                                    {"textual inversion", embedding}};

}  // namespace

std::span<const Signature> adapter_signatures() { return signatures; }

}  // namespace nodes
