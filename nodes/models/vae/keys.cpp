#include "nodes/models/vae/keys.h"

#include <algorithm>
#include <charconv>

#include "gpu/base/error.h"

namespace nodes {
namespace {

using gpu::format;

struct Pair {
    std::string_view ldm, diffusers;
};

constexpr Pair residual_layers[] = {{"norm1", "norm1"}, {"conv1", "conv1"}, {"norm2", "norm2"}, {"conv2", "conv2"},
                                    {"nin_shortcut", "conv_shortcut"},
                                    // A temporal decoder's, read only.
                                    {"norm1", "spatial_res_block.norm1"}, {"conv1", "spatial_res_block.conv1"},
                                    {"norm2", "spatial_res_block.norm2"}, {"conv2", "spatial_res_block.conv2"},
                                    {"nin_shortcut", "spatial_res_block.conv_shortcut"},
                                    {"time_stack.in_layers.0", "temporal_res_block.norm1"}, {"time_stack.in_layers.2", "temporal_res_block.conv1"},
                                    {"time_stack.out_layers.0", "temporal_res_block.norm2"}, {"time_stack.out_layers.3", "temporal_res_block.conv2"},
                                    {"mix_factor", "time_mixer.mix_factor"}};

// The second four are diffusers' names before 0.17: read, never written (the first row of a name is).
constexpr Pair attention_layers[] = {{"norm", "group_norm"}, {"q", "to_q"},   {"k", "to_k"},  {"v", "to_v"},  {"proj_out", "to_out.0"},
                                     {"q", "query"},         {"k", "key"},    {"v", "value"}, {"proj_out", "proj_attn"}};

constexpr std::string_view prefixes[] = {"first_stage_model.", "vae.", ""};
constexpr std::string_view roots[] = {"encoder.", "decoder.", "quant_conv.", "post_quant_conv.", "quantize.embedding."};

// What diffusers numbers: the first number that follows `before`, the largest of all names, plus one.
int count_below(const gpu::Checkpoint& file, const std::string& before) {
    int count = 0;
    for (const gpu::TensorEntry& entry : file.entries()) {
        if (!entry.name.starts_with(before)) continue;
        int number = -1;
        std::from_chars(entry.name.data() + before.size(), entry.name.data() + entry.name.size(), number);
        if (number >= 0 && number < 32) count = std::max(count, number + 1);
    }
    return count;
}

bool any_contains(const gpu::Checkpoint& file, std::string_view part) {
    return std::any_of(file.entries().begin(), file.entries().end(),
                       [&](const gpu::TensorEntry& entry) { return entry.name.find(part) != std::string::npos; });
}

// "encoder.mid.attn_1.q.weight": a weight of an attention that is a 1x1 convolution in ldm's files.
bool is_projection(std::string_view name) {
    const auto attention = name.find(".attn");
    if (attention == std::string_view::npos || !name.ends_with(".weight")) return false;
    for (const std::string_view layer : {".q.weight", ".k.weight", ".v.weight", ".proj_out.weight"})
        if (name.ends_with(layer)) return true;
    return false;
}

}  // namespace

VaeNames::VaeNames(int levels) {
    rows_.push_back({"decoder.conv_out.time_mix_conv", "decoder.time_conv_out"});      // before the row that it would lie below
    for (const char* half : {"encoder", "decoder"}) {
        rows_.push_back({format("{}.conv_in", half), format("{}.conv_in", half)});
        rows_.push_back({format("{}.norm_out", half), format("{}.conv_norm_out", half)});
        rows_.push_back({format("{}.conv_out", half), format("{}.conv_out", half)});
        rows_.push_back({format("{}.mid.block_1", half), format("{}.mid_block.resnets.0", half), Layer::Residual});
        rows_.push_back({format("{}.mid.attn_1", half), format("{}.mid_block.attentions.0", half), Layer::Attention});
        rows_.push_back({format("{}.mid.block_2", half), format("{}.mid_block.resnets.1", half), Layer::Residual});
    }
    for (const char* name : {"quant_conv", "post_quant_conv", "quantize.embedding"}) rows_.push_back({name, name});
    for (int i = 0; i < levels; ++i) {
        const int up = levels - 1 - i;      // diffusers counts in the order of processing
        rows_.push_back({format("encoder.down.{}.block", i), format("encoder.down_blocks.{}.resnets", i), Layer::Residual, true});
        rows_.push_back({format("encoder.down.{}.attn", i), format("encoder.down_blocks.{}.attentions", i), Layer::Attention, true});
        rows_.push_back({format("encoder.down.{}.downsample", i), format("encoder.down_blocks.{}.downsamplers.0", i)});
        rows_.push_back({format("decoder.up.{}.block", i), format("decoder.up_blocks.{}.resnets", up), Layer::Residual, true});
        rows_.push_back({format("decoder.up.{}.attn", i), format("decoder.up_blocks.{}.attentions", up), Layer::Attention, true});
        rows_.push_back({format("decoder.up.{}.upsample", i), format("decoder.up_blocks.{}.upsamplers.0", up)});
    }
}

std::string VaeNames::renamed(std::string_view name, const std::vector<Row>& rows, bool to_ldm) {
    // What follows `row` in `name`, with its dot.
    const auto below = [](std::string_view name, std::string_view row) -> std::optional<std::string_view> {
        if (!name.starts_with(row) || (name.size() > row.size() && name[row.size()] != '.')) return std::nullopt;
        return name.substr(row.size());
    };
    for (const Row& row : rows) {
        auto rest = below(name, to_ldm ? row.diffusers : row.ldm);
        if (!rest) continue;
        std::string result = to_ldm ? row.ldm : row.diffusers;
        if (row.numbered) {
            const auto end = rest->find('.', 1);
            const std::string_view number = rest->substr(0, end);
            if (number.size() < 2 || number.find_first_not_of("0123456789", 1) != std::string_view::npos) return {};
            result += number;
            rest = end == std::string_view::npos ? std::string_view() : rest->substr(end);
        }
        if (row.layer == Layer::Plain || rest->empty()) return result + std::string(*rest);
        const auto search = [&](const auto& pairs) -> std::string {
            for (const Pair& pair : pairs)
                if (const auto tail = below(rest->substr(1), to_ldm ? pair.diffusers : pair.ldm))
                    return result + "." + std::string(to_ldm ? pair.ldm : pair.diffusers) + std::string(*tail);
            return {};
        };
        return row.layer == Layer::Residual ? search(residual_layers) : search(attention_layers);
    }
    return {};
}

std::string VaeNames::ldm(std::string_view diffusers) const { return renamed(diffusers, rows_, true); }

std::string VaeNames::diffusers(std::string_view ldm) const { return renamed(ldm, rows_, false); }

std::optional<VaePlace> find_vae(const gpu::Checkpoint& file, std::string_view prefix) {
    for (const std::string_view each : prefixes) {
        const std::string at(prefix == "auto" ? each : prefix);
        if (!file.find(at + "encoder.conv_in.weight") && !file.find(at + "decoder.conv_in.weight")) continue;
        VaePlace place{.prefix = at};
        place.diffusers = file.find(at + "encoder.mid_block.resnets.0.norm1.weight") || file.find(at + "decoder.mid_block.resnets.0.norm1.weight") ||
                          file.find(at + "decoder.mid_block.resnets.0.spatial_res_block.norm1.weight");
        if (!place.diffusers && !file.find(at + "encoder.mid.block_1.norm1.weight") && !file.find(at + "decoder.mid.block_1.norm1.weight"))
            continue;      // another network with such a convolution
        place.levels = place.diffusers ? std::max(count_below(file, at + "encoder.down_blocks."), count_below(file, at + "decoder.up_blocks."))
                                       : std::max(count_below(file, at + "encoder.down."), count_below(file, at + "decoder.up."));
        if (file.find(at + "quantize.embedding.weight"))
            place.kind = VaeKind::Vq;
        else if (any_contains(file, ".spatial_res_block.") || any_contains(file, at + "decoder.time_conv_out") ||
                 file.find(at + "decoder.mid.block_1.time_stack.in_layers.0.weight"))
            place.kind = VaeKind::Temporal;
        return place;
    }
    return std::nullopt;
}

void add_vae_weights(gpu::Weights& into, const gpu::Checkpoint& file, std::string_view prefix) {
    const std::optional<VaePlace> place = find_vae(file, prefix);
    gpu::check(place.has_value(), gpu::ErrorCode::BadFile,
               "{}: expected an autoencoder with keys such as first_stage_model.encoder.conv_in.weight, encoder.mid.block_1.norm1.weight or "
               "encoder.mid_block.resnets.0.norm1.weight, got {}",
               file.path(), file.entries().empty() ? "no tensors" : "tensors such as " + file.entries()[0].name);
    const VaeNames names(place->levels);
    gpu::Weights found;
    gpu::add_weights(found, file, [&](const std::string& name) -> std::string {
        if (!name.starts_with(place->prefix)) return {};
        const std::string own = name.substr(place->prefix.size());
        if (std::none_of(std::begin(roots), std::end(roots), [&](std::string_view root) { return own.starts_with(root); })) return {};
        // Counts of an averaged codebook, not the codebook.
        if (own.starts_with("quantize.embedding.") && own != "quantize.embedding.weight") return {};
        if (!place->diffusers) return own;
        const std::string renamed = names.ldm(own);
        return renamed.empty() ? own : renamed;
    });
    for (auto& [name, weight] : found) {
        gpu::Shape& shape = weight.entry.shape;
        if (is_projection(name) && shape.size() > 2 && std::all_of(shape.begin() + 2, shape.end(), [](auto size) { return size == 1; }))
            shape.resize(2);
        into.insert_or_assign(name, std::move(weight));
    }
}

std::vector<gpu::TensorEntry> vae_entries(const gpu::Weights& weights, VaeLayout layout, std::string_view prefix) {
    int levels = 0;
    for (const char* level : {"encoder.down.{}.block.0.norm1.weight", "decoder.up.{}.block.0.norm1.weight"})
        while (weights.contains(format(level, levels))) ++levels;
    const VaeNames names(levels);
    std::vector<gpu::TensorEntry> entries;
    for (const auto& [name, weight] : weights) {
        gpu::TensorEntry entry = weight.entry;
        const std::string own = layout == VaeLayout::Ldm ? name : names.diffusers(name);
        gpu::check(!own.empty(), gpu::ErrorCode::InvalidGraph, "save autoencoder: expected names of the layout's table, got {}", name);
        entry.name = std::string(prefix) + own;
        if (layout == VaeLayout::Ldm && is_projection(name) && entry.shape.size() == 2) entry.shape.insert(entry.shape.end(), 2, 1);
        entries.push_back(std::move(entry));
    }
    return entries;
}

}  // namespace nodes
