// base and adapter weights -> merged weights, through the patches that models get.
#include <algorithm>

#include "gpu/base/error.h"
#include "nodes/conform/conform.h"
#include "nodes/models/lora/patch.h"

namespace nodes {
namespace {

// The base's tensors below `prefix` with the names that networks have.
gpu::Weights below(const gpu::Checkpoint& file, const std::string& prefix) {
    gpu::Weights weights;
    gpu::add_weights(weights, file, [&](const std::string& name) { return name.starts_with(prefix) ? name.substr(prefix.size()) : std::string(); });
    return weights;
}

gpu::Checkpoint renamed(const gpu::Checkpoint& file, const std::string& prefix) {
    gpu::CheckpointContent content{.path = file.path(), .format = file.format(), .metadata = file.metadata(), .keep = {file.owner()}};
    for (gpu::TensorEntry entry : file.entries())
        if (entry.name.starts_with(prefix)) {
            entry.name = entry.name.substr(prefix.size());
            content.entries.push_back(std::move(entry));
        }
    return gpu::Checkpoint(std::move(content));
}

ConformOutputs run_lora(const ConformCase& given) {
    ConformOutputs outputs;
    for (const std::string& path : given.weights) {
        const gpu::Checkpoint file = gpu::open_checkpoint(path);
        const auto lora = std::make_shared<const LoraFile>(read_lora(renamed(file, "adapter.")));
        const std::string unet_prefix = "model.diffusion_model.";
        std::optional<LoraNames> unet;
        // A case holds some layers of a UNet; the published layouts number them.
        const bool xl = std::any_of(file.entries().begin(), file.entries().end(),
                                    [](const gpu::TensorEntry& entry) { return entry.name.starts_with("base.conditioner."); });
        if (gpu::Weights weights = below(file, "base." + unet_prefix); !weights.empty())
            unet = LoraNames::unet(weights, UnetLayout(published_unet(xl ? "sdxl" : "sd15")));
        std::vector<LoraNames> towers;
        std::vector<std::string> prefixes;
        for (const char* prefix : {"cond_stage_model.transformer.", "conditioner.embedders.0.transformer.", "conditioner.embedders.1.transformer."})
            if (gpu::Weights weights = below(file, std::string("base.") + prefix); !weights.empty()) {
                towers.push_back(LoraNames::text(weights));
                prefixes.push_back(prefix);
            }
        std::vector<const LoraNames*> list;
        for (const LoraNames& tower : towers) list.push_back(&tower);
        const double strength = given.json["strength"].toDouble(1);
        const AppliedLora applied = apply_lora(lora, unet ? &*unet : nullptr, list, {.model = strength, .text = strength}, "pico");
        const auto collect = [&](const LoraNames& names, const std::shared_ptr<const LoraPatch>& patch, const std::string& prefix) {
            for (const auto& [name, weight] : names.weights())
                outputs[prefix + name] = patched_weight(name, gpu::to_leaf(weight), patch ? Patches{patch} : Patches{});
        };
        if (unet) collect(*unet, applied.unet, unet_prefix);
        for (std::size_t i = 0; i < towers.size(); ++i) collect(towers[i], applied.text[i], prefixes[i]);
        for (const std::string& name : applied.unused)
            throw gpu::Error(gpu::ErrorCode::BadFile, "lora: expected a place for every key, got none for {}", name);
    }
    return outputs;
}

}  // namespace
}  // namespace nodes

REGISTER_CONFORM_KIND(lora, nodes::run_lora)
