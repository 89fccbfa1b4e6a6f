#include "nodes/models/lora/save.h"

#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/lora/delta.h"
#include "nodes/models/lora/resolve.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;

struct Saved {
    std::string name;
    Tensor value;
};

std::string kohya_name(const std::string& module) {
    auto [network, rest] = lora_network(module);
    std::replace(rest.begin(), rest.end(), '.', '_');
    const char* prefix = network == LoraNetwork::Text ? "lora_te_" : network == LoraNetwork::Text1 ? "lora_te1_" : network == LoraNetwork::Text2 ? "lora_te2_" : "lora_unet_";
    return prefix + rest;
}

std::string dotted_name(const std::string& module) {
    const auto [network, rest] = lora_network(module);
    check(module.find('.') != module.npos, ErrorCode::InvalidGraph, "save LoRA: expected names with dots, from which PEFT's follow, got {}: kohya's layout can hold it", module);
    return (network == LoraNetwork::Text || network == LoraNetwork::Text1 ? "text_encoder." : network == LoraNetwork::Text2 ? "text_encoder_2." : "unet.") + rest;
}

void add(std::vector<Saved>& all, const LoraModule& module, LoraLayout layout) {
    const auto part = [&](const std::string& name) { return gpu::to_leaf(module.parts.at(name)); };
    if (module.has("set")) {
        const std::string rest = lora_network(module.name).second;
        const std::size_t leaf = rest.rfind('.');
        check(leaf != rest.npos && rest.find(".attn2.") != rest.npos, ErrorCode::InvalidGraph, "save LoRA: expected replaced weights of cross-attention, got {}", module.name);
        all.push_back({rest.substr(0, leaf) + ".processor" + rest.substr(leaf) + "_custom_diffusion.weight", part("set")});
        return;
    }
    if (layout == LoraLayout::Peft) {
        check(module.has("up") && module.has("down") && !module.has("mid"), ErrorCode::InvalidGraph, "save LoRA: expected low rank changes for PEFT's layout, got {} of {}",
              module.form(), module.name);
        const std::string name = dotted_name(module.name);
        all.push_back({name + ".lora_A.weight", part("down")});
        all.push_back({name + ".lora_B.weight", part("up") * lora_scale(module)});
        return;
    }
    const std::string name = kohya_name(module.name);
    for (const auto& [role, weight] : module.parts) {
        const bool low_rank = role == "up" || role == "down" || role == "mid";
        const std::string key = low_rank ? ".lora_" + role + ".weight" : role == "dora" ? ".dora_scale" : "." + role;
        Tensor value = gpu::to_leaf(weight);
        if (role == "alpha") value = gpu::reshape(value, {});
        all.push_back({name + key, value});
    }
    if (!module.has("alpha") && module.scale != 1)
        all.push_back({name + ".alpha", gpu::reshape(gpu::tensor({static_cast<float>(module.scale * static_cast<double>(module.rank()))}), {})});
}

}  // namespace

void save_lora(const LoraFile& file, const std::string& path, LoraLayout layout, bool half, const std::map<std::string, std::string>& metadata) {
    check(!file.modules.empty(), ErrorCode::InvalidGraph, "save LoRA: expected changed layers, got none");
    std::vector<Saved> all;
    for (const LoraModule& module : file.modules) add(all, module, layout);
    std::vector<gpu::TensorEntry> entries;
    const gpu::Dtype dtype = half ? gpu::Dtype::F16 : gpu::Dtype::F32;
    for (const Saved& one : all) entries.push_back({.name = one.name, .dtype = dtype, .shape = one.value.shape()});
    gpu::save_safetensors(path, entries, metadata, [&](std::size_t at) {
        std::vector<std::byte> bytes(static_cast<std::size_t>(gpu::element_count(entries[at].shape)) * gpu::size_of(dtype));
        gpu::read(gpu::cast(all[at].value, dtype), bytes);
        return bytes;
    });
}

}  // namespace nodes
