#include "nodes/models/unet/keys.h"

#include <charconv>
#include <set>

#include "gpu/base/error.h"

namespace nodes {
namespace {

using gpu::format;

struct Pair {
    std::string_view ldm, diffusers;
};

constexpr Pair stem[] = {{"time_embed.0", "time_embedding.linear_1"},
                         {"time_embed.2", "time_embedding.linear_2"},
                         {"time_embed.cond_proj", "time_embedding.cond_proj"},
                         {"label_emb.0.0", "add_embedding.linear_1"},
                         {"label_emb.0.2", "add_embedding.linear_2"},
                         {"label_emb.0.0", "class_embedding.linear_1"},      // read only: the first row of a name is written
                         {"label_emb.0.2", "class_embedding.linear_2"},
                         {"input_blocks.0.0", "conv_in"},
                         {"out.0", "conv_norm_out"},
                         {"out.2", "conv_out"}};

constexpr Pair residual_layers[] = {{"in_layers.0", "norm1"},   {"in_layers.2", "conv1"},   {"emb_layers.1", "time_emb_proj"},
                                    {"out_layers.0", "norm2"}, {"out_layers.3", "conv2"}, {"skip_connection", "conv_shortcut"}};

constexpr std::string_view prefixes[] = {"model.diffusion_model.", "diffusion_model.", "unet.", ""};

// "down_blocks.2.resnets.1.norm1.weight" below "down_blocks" -> 2, and what follows.
std::optional<std::pair<int, std::string_view>> numbered(std::string_view name, std::string_view folder) {
    if (!name.starts_with(folder) || name.size() <= folder.size() || name[folder.size()] != '.') return std::nullopt;
    const std::string_view rest = name.substr(folder.size() + 1);
    int number = 0;
    const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (status != std::errc() || number < 0 || number > 99) return std::nullopt;
    const std::string_view tail(end, static_cast<std::size_t>(rest.data() + rest.size() - end));
    return std::pair(number, tail.starts_with('.') ? tail.substr(1) : tail);
}

int& grown(std::vector<int>& list, int at) {
    if (static_cast<std::size_t>(at) >= list.size()) list.resize(static_cast<std::size_t>(at) + 1);
    return list[static_cast<std::size_t>(at)];
}

// Whether `name` is `row` or lies below it; then what follows, with its dot.
std::optional<std::string_view> below(std::string_view name, std::string_view row) {
    if (!name.starts_with(row) || (name.size() > row.size() && name[row.size()] != '.')) return std::nullopt;
    return name.substr(row.size());
}

std::string layer_renamed(std::string_view rest, std::string_view Pair::*from, std::string_view Pair::*to) {
    for (const Pair& pair : residual_layers)
        if (rest.starts_with('.'))
            if (const auto tail = below(rest.substr(1), pair.*from)) return format(".{}{}", pair.*to, *tail);
    return rest.empty() ? std::string() : std::string("?");      // "?": no layer of a ResBlock
}

bool in_files(std::span<const gpu::Checkpoint> files, const std::string& name) {
    for (const gpu::Checkpoint& file : files)
        if (file.find(name)) return true;
    return false;
}

std::string example(std::span<const gpu::Checkpoint> files) {
    for (const gpu::Checkpoint& file : files)
        if (!file.entries().empty()) return "tensors such as " + file.entries()[0].name;
    return "no tensors";
}

}  // namespace

UnetLayout::UnetLayout(const UnetConfig& config) : middle_attends(config.middle_depth > 0) {
    for (const UnetConfig::Level& level : config.levels) down.push_back(static_cast<int>(level.input_depths.size()));
    for (std::size_t i = config.levels.size(); i-- > 0;) {
        const std::vector<int>& depths = config.levels[i].output_depths;
        up.push_back(static_cast<int>(depths.size()));
        up_attends.push_back(!depths.empty() && depths.back() > 0);
    }
}

UnetLayout::UnetLayout(std::span<const std::string> names) : middle_attends(false) {
    std::set<int> attending;
    for (const std::string& name : names) {
        if (const auto block = numbered(name, "down_blocks"))
            if (const auto layer = numbered(block->second, "resnets")) grown(down, block->first) = std::max(grown(down, block->first), layer->first + 1);
        if (const auto block = numbered(name, "up_blocks")) {
            if (const auto layer = numbered(block->second, "resnets")) grown(up, block->first) = std::max(grown(up, block->first), layer->first + 1);
            if (block->second.starts_with("attentions.")) attending.insert(block->first);
        }
        middle_attends = middle_attends || name.starts_with("mid_block.attentions.");
    }
    for (int i = 0; i < static_cast<int>(up.size()); ++i) up_attends.push_back(attending.contains(i));
}

UnetNames::UnetNames(const UnetLayout& layout) {
    for (const Pair& pair : stem) rows_.push_back({std::string(pair.ldm), std::string(pair.diffusers)});
    int block = 1;
    for (std::size_t b = 0; b < layout.down.size(); ++b) {
        for (int l = 0; l < layout.down[b]; ++l, ++block) {
            rows_.push_back({format("input_blocks.{}.0", block), format("down_blocks.{}.resnets.{}", b, l), true});
            rows_.push_back({format("input_blocks.{}.1", block), format("down_blocks.{}.attentions.{}", b, l)});
        }
        rows_.push_back({format("input_blocks.{}.0.op", block++), format("down_blocks.{}.downsamplers.0.conv", b)});
    }
    rows_.push_back({"middle_block.0", "mid_block.resnets.0", true});
    if (layout.middle_attends) rows_.push_back({"middle_block.1", "mid_block.attentions.0"});
    rows_.push_back({layout.middle_attends ? "middle_block.2" : "middle_block.1", "mid_block.resnets.1", true});
    block = 0;
    for (std::size_t b = 0; b < layout.up.size(); ++b) {
        for (int l = 0; l < layout.up[b]; ++l, ++block) {
            rows_.push_back({format("output_blocks.{}.0", block), format("up_blocks.{}.resnets.{}", b, l), true});
            // Before the transformer's row, which it would lie below.
            if (l + 1 == layout.up[b])
                rows_.push_back({format("output_blocks.{}.{}.conv", block, layout.up_attends[b] ? 2 : 1), format("up_blocks.{}.upsamplers.0.conv", b)});
            rows_.push_back({format("output_blocks.{}.1", block), format("up_blocks.{}.attentions.{}", b, l)});
        }
    }
}

std::string UnetNames::ldm(std::string_view diffusers) const {
    for (const Row& row : rows_) {
        const auto rest = below(diffusers, row.diffusers);
        if (!rest) continue;
        const std::string tail = row.residual ? layer_renamed(*rest, &Pair::diffusers, &Pair::ldm) : std::string(*rest);
        return tail == "?" ? std::string() : row.ldm + tail;
    }
    return {};
}

std::string UnetNames::diffusers(std::string_view ldm) const {
    for (const Row& row : rows_) {
        const auto rest = below(ldm, row.ldm);
        if (!rest) continue;
        const std::string tail = row.residual ? layer_renamed(*rest, &Pair::ldm, &Pair::diffusers) : std::string(*rest);
        if (tail != "?") return row.diffusers + tail;      // else a downsampler, "input_blocks.3.0.op", in its own row
    }
    return {};
}

std::string unet_name(std::string_view diffusers, const UnetConfig& config) { return UnetNames(config).ldm(diffusers); }

std::string unet_diffusers_name(std::string_view ldm, const UnetConfig& config) { return UnetNames(config).diffusers(ldm); }

std::optional<UnetPlace> find_unet(std::span<const gpu::Checkpoint> files) {
    for (const std::string_view prefix : prefixes) {
        const std::string at(prefix);
        if (in_files(files, at + "input_blocks.0.0.weight") && in_files(files, at + "out.2.weight")) return UnetPlace{at, false};
        if (in_files(files, at + "conv_in.weight") && in_files(files, at + "time_embedding.linear_1.weight") && in_files(files, at + "conv_out.weight"))
            return UnetPlace{at, true};
    }
    return std::nullopt;
}

void add_unet_weights(gpu::Weights& into, std::span<const gpu::Checkpoint> files, std::string_view prefix) {
    std::optional<UnetPlace> place;
    if (prefix == "auto")
        place = find_unet(files);
    else
        place = UnetPlace{std::string(prefix), in_files(files, std::string(prefix) + "conv_in.weight")};
    gpu::check(place && (place->diffusers || in_files(files, place->prefix + "input_blocks.0.0.weight")), gpu::ErrorCode::BadFile,
               "{}: expected a UNet with keys such as model.diffusion_model.input_blocks.0.0.weight or conv_in.weight, got {}",
               files.empty() ? "no file" : files[0].path(), example(files));
    std::vector<std::string> names;
    if (place->diffusers)
        for (const gpu::Checkpoint& file : files)
            for (const gpu::TensorEntry& entry : file.entries())
                if (entry.name.starts_with(place->prefix)) names.push_back(entry.name.substr(place->prefix.size()));
    const UnetNames table{UnetLayout(names)};
    for (const gpu::Checkpoint& file : files)
        gpu::add_weights(into, file, [&](const std::string& name) -> std::string {
            if (!name.starts_with(place->prefix) || name.starts_with("model_ema.")) return {};
            const std::string own = name.substr(place->prefix.size());
            if (!place->diffusers) return own;
            const std::string renamed = table.ldm(own);
            return renamed.empty() ? own : renamed;
        });
}

void add_unet_weights(gpu::Weights& into, const gpu::Checkpoint& file, std::string_view prefix) {
    add_unet_weights(into, std::span(&file, 1), prefix);
}

}  // namespace nodes
