#include "nodes/models/lora/resolve.h"

#include <algorithm>
#include <array>
#include <set>

#include "gpu/base/format.h"
#include "nodes/models/unet/keys.h"

namespace nodes {
namespace {

using gpu::format;

std::string underscored(std::string text) {
    std::replace(text.begin(), text.end(), '.', '_');
    return text;
}

std::set<std::string> layers_of(const gpu::Weights& weights) {
    std::set<std::string> layers;
    for (const auto& [name, weight] : weights)
        for (const std::string_view end : {".weight", ".bias"})
            if (name.ends_with(end)) layers.insert(name.substr(0, name.size() - end.size()));
    return layers;
}

struct Prefix {
    std::string_view text;
    LoraNetwork network;
};
constexpr Prefix prefixes[] = {{"lora_unet_", LoraNetwork::Unet},
                               {"lora_unet.", LoraNetwork::Unet},
                               {"lora_te1_", LoraNetwork::Text1},
                               {"lora_te2_", LoraNetwork::Text2},
                               {"lora_te_", LoraNetwork::Text},
                               {"lora_te1.", LoraNetwork::Text1},
                               {"lora_te2.", LoraNetwork::Text2},
                               {"lora_te.", LoraNetwork::Text},
                               {"lycoris_text_encoder_2_", LoraNetwork::Text2},
                               {"lycoris_text_encoder_", LoraNetwork::Text},
                               {"lycoris_unet_", LoraNetwork::Unet},
                               {"lycoris_", LoraNetwork::Unsaid},
                               {"model.diffusion_model.", LoraNetwork::Unet},
                               {"diffusion_model.", LoraNetwork::Unet},
                               {"unet.", LoraNetwork::Unet},
                               {"text_encoder_2.", LoraNetwork::Text2},
                               {"text_encoder.", LoraNetwork::Text},
                               {"cond_stage_model.transformer.", LoraNetwork::Text},
                               {"cond_stage_model.model.", LoraNetwork::Text},
                               {"conditioner.embedders.0.transformer.", LoraNetwork::Text1},
                               {"conditioner.embedders.0.model.", LoraNetwork::Text1},
                               {"conditioner.embedders.1.model.", LoraNetwork::Text2}};

std::string without(std::string text, std::string_view piece, std::string_view instead) {
    if (const std::size_t at = text.find(piece); at != text.npos) text.replace(at, piece.size(), instead);
    return text;
}

}  // namespace

std::pair<LoraNetwork, std::string> lora_network(const std::string& module) {
    std::string name = module;
    if (name.starts_with("base_model.model.")) name = name.substr(17);
    // The processors that old versions of diffusers hung their adapters on.
    name = without(name, ".processor.", ".");
    for (const Prefix& prefix : prefixes)
        if (name.starts_with(prefix.text)) {
            std::string rest = name.substr(prefix.text.size());
            if (rest.starts_with("base_model.model.")) rest = rest.substr(17);
            return {prefix.network, rest};
        }
    return {LoraNetwork::Unsaid, name};
}

void LoraNames::add(const std::string& spelled, std::vector<LoraSite> sites) { sites_.emplace(underscored(spelled), std::move(sites)); }

LoraNames LoraNames::unet(const gpu::Weights& weights) { return unet(weights, UnetLayout(read_unet_config(weights))); }

LoraNames LoraNames::unet(const gpu::Weights& weights, const UnetLayout& layout) {
    LoraNames names;
    names.weights_ = weights;
    names.layout_ = layout;
    const UnetNames table{layout};
    for (const std::string& layer : layers_of(weights)) {
        const std::string theirs = table.diffusers(layer);
        for (const std::string& spelled : {layer, theirs}) {
            if (spelled.empty()) continue;
            names.add(spelled, {{layer}});
            if (spelled.ends_with(".to_out.0")) names.add(spelled.substr(0, spelled.size() - 2), {{layer}});
        }
    }
    return names;
}

LoraNames LoraNames::text(const gpu::Weights& weights) {
    LoraNames names;
    names.weights_ = weights;
    names.is_text_ = true;
    constexpr std::string_view level = "text_model.", layers = "text_model.encoder.layers.";
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> open_clip = {{{"layer_norm1", "ln_1"},
                                                                                         {"layer_norm2", "ln_2"},
                                                                                         {"self_attn.out_proj", "attn.out_proj"},
                                                                                         {"mlp.fc1", "mlp.c_fc"},
                                                                                         {"mlp.fc2", "mlp.c_proj"}}};
    for (const std::string& layer : layers_of(weights)) {
        names.add(layer, {{layer}});
        if (layer.starts_with(level)) names.add(layer.substr(level.size()), {{layer}});
        if (layer == "text_model.final_layer_norm") names.add("ln_final", {{layer}});
        if (layer == "text_model.embeddings.token_embedding") names.add("token_embedding", {{layer}});
        if (!layer.starts_with(layers)) continue;
        const std::string rest = layer.substr(layers.size());
        const std::size_t dot = rest.find('.');
        const std::string number = rest.substr(0, dot), inner = rest.substr(dot + 1);
        for (const auto& [ours, theirs] : open_clip)
            if (inner == ours) names.add(format("transformer.resblocks.{}.{}", number, theirs), {{layer}});
        if (inner == "self_attn.q_proj") {
            const std::string attention = format("{}{}.self_attn.", layers, number);
            std::vector<LoraSite> thirds;
            for (int i = 0; const char* part : {"q_proj", "k_proj", "v_proj"}) thirds.push_back({attention + part, {i++, 3}});
            for (const char* fused : {"attn.in_proj", "attn.in_proj_weight", "attn"}) names.add(format("transformer.resblocks.{}.{}", number, fused), thirds);
        }
    }
    return names;
}

std::vector<LoraSite> LoraNames::find(const std::string& spelled) const {
    const auto at = sites_.find(underscored(spelled));
    return at == sites_.end() ? std::vector<LoraSite>() : at->second;
}

std::vector<std::vector<std::string>> LoraNames::counted(const std::vector<std::string>& classes) const {
    const std::set<std::string> wanted(classes.begin(), classes.end());
    const auto has = [&](const std::string& layer) { return weights_.contains(layer + ".weight"); };
    if (is_text_) {
        if (wanted != std::set<std::string>{"CLIPAttention"}) return {};
        std::vector<std::string> order;
        for (int i = 0; has(format("text_model.encoder.layers.{}.self_attn.k_proj", i)); ++i)
            for (const char* part : {"k_proj", "v_proj", "q_proj", "out_proj"}) order.push_back(format("text_model.encoder.layers.{}.self_attn.{}", i, part));
        return {order};
    }
    for (const std::string& one : wanted)
        if (one != "CrossAttention" && one != "Attention" && one != "GEGLU" && one != "ResnetBlock2D") return {};
    const bool attention = wanted.contains("CrossAttention") || wanted.contains("Attention"), gate = wanted.contains("GEGLU"), residual = wanted.contains("ResnetBlock2D");
    const UnetNames table{layout_};
    // Modules in the order in which diffusers' UNet was put together: the middle block last. Where the feed-forward network stands
    // between the attentions of a layer has changed over time.
    std::vector<std::vector<std::string>> variants;
    for (const bool gate_between : {true, false})
        for (const bool middle_last : {true, false}) {
            std::vector<std::string> order;
            const auto add = [&](const std::string& theirs) {
                if (const std::string layer = table.ldm(theirs); !layer.empty() && has(layer)) order.push_back(layer);
            };
            const auto block = [&](const std::string& name) {
                for (int a = 0; has(table.ldm(format("{}.attentions.{}.norm", name, a))); ++a)
                    for (int t = 0; has(table.ldm(format("{}.attentions.{}.transformer_blocks.{}.norm1", name, a, t))); ++t) {
                        const std::string layer = format("{}.attentions.{}.transformer_blocks.{}.", name, a, t);
                        const auto attend = [&](const char* which) {
                            if (attention)
                                for (const char* part : {"to_q", "to_k", "to_v", "to_out.0"}) add(layer + which + "." + part);
                        };
                        attend("attn1");
                        if (gate && gate_between) add(layer + "ff.net.0.proj");
                        attend("attn2");
                        if (gate && !gate_between) add(layer + "ff.net.0.proj");
                    }
                if (residual)
                    for (int r = 0; has(table.ldm(format("{}.resnets.{}.norm1", name, r))); ++r)
                        for (const char* part : {"conv1", "time_emb_proj", "conv2", "conv_shortcut"}) add(format("{}.resnets.{}.{}", name, r, part));
            };
            const auto blocks = [&](const char* folder) {
                for (int b = 0; has(table.ldm(format("{}.{}.resnets.0.norm1", folder, b))); ++b) block(format("{}.{}", folder, b));
            };
            blocks("down_blocks");
            if (!middle_last) block("mid_block");
            blocks("up_blocks");
            if (middle_last) block("mid_block");
            variants.push_back(std::move(order));
        }
    return variants;
}

}  // namespace nodes
