#include "nodes/models/lora/patch.h"

#include <functional>

#include "gpu/base/error.h"
#include "gpu/ops.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;
using gpu::format;

// Rows and columns of a weight as a matrix.
std::pair<std::int64_t, std::int64_t> matrix_of(const gpu::Shape& shape) {
    const std::int64_t rows = shape.empty() ? 1 : shape[0];
    return {rows, rows == 0 ? 0 : gpu::element_count(shape) / rows};
}

bool can_branch(const LoraModule& module) { return module.has("up") && module.has("down") && !module.has("mid") && !module.has("dora"); }

// Puts a module's changes at its sites. Empty: done; else why it does not fit.
std::string place(LoraPatch::Changes& changes, const std::shared_ptr<const LoraFile>& file, const LoraModule& module, const LoraNames& names,
                  const std::vector<LoraSite>& sites, bool live, const std::function<double(const std::string&)>& strength) {
    for (const LoraSite& site : sites) {
        const std::string weight = site.layer + ".weight", bias = site.layer + ".bias";
        const double by = strength(weight);
        if (module.changes_weight()) {
            const auto at = names.weights().find(weight);
            if (at == names.weights().end()) return format("no weight {}", weight);
            auto wanted = matrix_of(at->second.entry.shape);
            wanted.first *= site.slice.parts;
            const auto got = module.matrix_shape();
            if (got != wanted) return format("expected {} x {}, got {} x {}", wanted.first, wanted.second, got.first, got.second);
            changes[weight].push_back({file, &module, site.slice, by, false, live && can_branch(module)});
        }
        if (module.changes_bias()) {
            if (!names.weights().contains(bias)) return format("no bias {}", bias);
            changes[bias].push_back({file, &module, site.slice, by, true, false});
        }
    }
    return {};
}

// The order of cloneofsimo's layers in which every module's shape fits.
std::vector<std::string> fitting_order(const LoraFile& file, const std::string& network, const LoraNames& names) {
    const auto classes = file.counted.find(network);
    if (classes == file.counted.end()) return {};
    for (std::vector<std::string>& order : names.counted(classes->second)) {
        bool fits = true;
        for (const LoraModule& module : file.modules) {
            if (!fits || !module.name.starts_with(network + ":")) continue;
            const std::size_t index = std::stoul(module.name.substr(network.size() + 1));
            fits = index < order.size() && matrix_of(names.weights().at(order[index] + ".weight").entry.shape) == module.matrix_shape();
        }
        if (fits) return std::move(order);
    }
    return {};
}

}  // namespace

std::string family_title(const std::string& family) {
    static const std::map<std::string, std::string> titles = {
        {"sd1", "SD 1"}, {"sd2", "SD 2"}, {"sdxl", "SDXL"}, {"sdxl-refiner", "SDXL refiner"}, {"pico", "a small model"}};
    const auto at = titles.find(family);
    return at == titles.end() ? family : at->second;
}

std::string LoraPatch::summary() const {
    std::size_t live = 0;
    for (const auto& [name, list] : changes_)
        for (const Change& change : list) live += change.branch;
    return format("LoRA {}, {} weights{}", title_, changes_.size(), live ? format(", {} of them live", live) : "");
}

bool LoraPatch::touches(const std::string& name) const {
    const auto at = changes_.find(name);
    if (at == changes_.end()) return false;
    for (const Change& change : at->second)
        if (!change.branch && change.strength != 0) return true;
    return false;
}

Tensor LoraPatch::apply(const std::string& name, const Tensor& weight) const {
    const auto at = changes_.find(name);
    Tensor changed = weight;
    if (at == changes_.end()) return changed;
    for (const Change& change : at->second) {
        if (change.branch || change.strength == 0) continue;
        try {
            changed = change.bias ? lora_bias(*change.module, changed, change.strength, change.slice)
                                  : lora_weight(*change.module, changed, change.strength, change.slice);
        } catch (gpu::Error& error) {
            throw error.in("LoRA " + title_ + ", " + change.module->name);
        }
    }
    return changed;
}

std::vector<gpu::Branch> LoraPatch::branches(const std::string& name, const gpu::Shape& shape) const {
    std::vector<gpu::Branch> all;
    const auto at = changes_.find(name);
    if (at == changes_.end()) return all;
    for (const Change& change : at->second) {
        if (!change.branch || change.strength == 0) continue;
        const Tensor up = gpu::to_leaf(change.module->parts.at("up")), down = gpu::to_leaf(change.module->parts.at("down"));
        const std::int64_t rank = down.size(0), rows = up.size(0) / change.slice.parts;
        Tensor matrix = gpu::reshape(up, {up.size(0), rank});
        if (change.slice.parts > 1) matrix = gpu::slice(matrix, 0, change.slice.part * rows, (change.slice.part + 1) * rows);
        gpu::Shape filter = shape;
        filter[0] = rank;
        const double scale = lora_scale(*change.module) * change.strength;
        all.push_back({gpu::reshape(down, filter), matrix * gpu::reshape(gpu::tensor({static_cast<float>(scale)}), {1, 1})});
    }
    return all;
}

AppliedLora apply_lora(const std::shared_ptr<const LoraFile>& file, const LoraNames* unet, const std::vector<const LoraNames*>& towers,
                       const LoraStrength& strength, const std::string& base_family) {
    AppliedLora applied;
    LoraPatch::Changes unet_changes;
    std::vector<LoraPatch::Changes> text_changes(towers.size());
    std::vector<std::string> misfits;
    std::size_t unresolved = 0, absent = 0;
    const std::vector<std::string> unet_order = unet ? fitting_order(*file, "unet", *unet) : std::vector<std::string>();
    const std::vector<std::string> text_order = towers.empty() ? std::vector<std::string>() : fitting_order(*file, "text_encoder", *towers[0]);
    const auto of_unet = [&](const std::string& weight) { return strength.model * strength.blocks.of(weight); };
    const auto of_text = [&](const std::string&) { return strength.text * strength.blocks.base(); };

    for (const LoraModule& module : file->modules) {
        std::string problem;
        const auto try_unet = [&](const std::vector<LoraSite>& sites) {
            problem = place(unet_changes, file, module, *unet, sites, strength.live, of_unet);
            return problem.empty();
        };
        const auto try_text = [&](std::size_t tower, const std::vector<LoraSite>& sites) {
            problem = place(text_changes[tower], file, module, *towers[tower], sites, strength.live, of_text);
            return problem.empty();
        };
        bool done = false, there = true;
        const std::size_t colon = module.name.find(':');
        if (colon != module.name.npos && (module.name.starts_with("unet:") || module.name.starts_with("text_encoder:"))) {
            const bool is_unet = module.name.starts_with("unet:");
            const std::vector<std::string>& order = is_unet ? unet_order : text_order;
            const std::size_t index = std::stoul(module.name.substr(colon + 1));
            there = is_unet ? unet != nullptr : !towers.empty();
            if (there && index < order.size()) done = is_unet ? try_unet({{order[index]}}) : try_text(0, {{order[index]}});
            if (there && order.empty()) problem = "the layers of this network in the order of the file are of other shapes";
        } else {
            const auto [network, rest] = lora_network(module.name);
            // A refiner has one tower, which is SDXL's second.
            const auto tower = [&](LoraNetwork which) -> std::size_t { return which == LoraNetwork::Text2 && towers.size() > 1 ? 1 : 0; };
            if (network == LoraNetwork::Unet || network == LoraNetwork::Unsaid) {
                there = unet != nullptr;
                if (unet)
                    if (const auto sites = unet->find(rest); !sites.empty()) done = try_unet(sites);
            }
            if (!done && problem.empty() && network != LoraNetwork::Unet) {
                there = there && network == LoraNetwork::Unsaid ? there : !towers.empty();
                if (!towers.empty())
                    if (const auto sites = towers[tower(network)]->find(rest); !sites.empty()) done = try_text(tower(network), sites);
            }
        }
        if (done) {
            ++applied.used;
        } else if (!problem.empty()) {
            misfits.push_back(format("{}: {}", module.name, problem));
        } else if (!there) {
            ++absent;
        } else {
            ++unresolved;
            applied.unused.push_back(module.name);
        }
    }
    const std::string family = lora_family(*file), wanted = family_title(base_family);
    if (!misfits.empty() || (applied.used == 0 && absent == 0)) {
        const std::string example = !misfits.empty() ? misfits[0] : applied.unused.empty() ? "no layers" : "layers such as " + applied.unused[0];
        throw gpu::Error(ErrorCode::BadFile, "{}: expected a LoRA for {}, got one{}: {}{}", file->path, wanted,
                         family.empty() ? " for another network" : family == wanted ? " for " + family + " that does not fit" : " for " + family, example,
                         misfits.size() + unresolved > 1 ? format(" and {} more", misfits.size() + unresolved - 1) : "");
    }
    for (const std::string& key : file->unknown) applied.unused.push_back(key);
    if (!unet_changes.empty()) applied.unet = std::make_shared<const LoraPatch>(format("{} at {}", file->title, strength.model), std::move(unet_changes));
    for (LoraPatch::Changes& changes : text_changes)
        applied.text.push_back(changes.empty() ? nullptr : std::make_shared<const LoraPatch>(format("{} at {}", file->title, strength.text), std::move(changes)));
    return applied;
}

}  // namespace nodes
