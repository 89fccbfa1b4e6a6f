#include "nodes/models/unet/config.h"

#include <algorithm>
#include <numeric>

#include "gpu/base/error.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;
using gpu::format;
using gpu::Shape;

constexpr int head_size_since_sd2 = 64, heads_of_sd1 = 8;

// Shapes of weights by name.
class Shapes {
public:
    explicit Shapes(const gpu::Weights& weights) : weights_(weights) {}

    bool has(const std::string& name) const { return weights_.contains(name); }
    Shape of(const std::string& name, std::size_t rank) const {
        const auto at = weights_.find(name);
        check(at != weights_.end(), ErrorCode::BadFile, "unet: expected a weight {}, got none of that name", name);
        check(at->second.entry.shape.size() == rank, ErrorCode::BadFile, "unet: expected {} axes for {}, got {}", rank, name,
              gpu::to_string(at->second.entry.shape));
        return at->second.entry.shape;
    }
    int length(const std::string& name, std::size_t rank, std::size_t axis) const { return static_cast<int>(of(name, rank)[axis]); }
    // Layers of the transformer `name`, 0 where there is none.
    int depth(const std::string& name) const {
        int layers = 0;
        while (has(format("{}.transformer_blocks.{}.norm1.weight", name, layers))) ++layers;
        return layers;
    }

private:
    const gpu::Weights& weights_;
};

void read_way_down(UnetConfig& config, const Shapes& shapes) {
    config.levels.push_back({.channels = shapes.length("input_blocks.0.0.weight", 4, 0)});
    for (int i = 1;; ++i) {
        const std::string block = format("input_blocks.{}", i);
        if (shapes.has(block + ".0.op.weight")) {
            config.levels.push_back({.channels = config.levels.back().channels});
        } else if (shapes.has(block + ".0.in_layers.2.weight")) {
            config.levels.back().channels = shapes.length(block + ".0.in_layers.2.weight", 4, 0);
            config.levels.back().input_depths.push_back(shapes.depth(block + ".1"));
        } else {
            break;
        }
    }
    check(!config.levels.back().input_depths.empty(), ErrorCode::BadFile, "unet: expected {}, got none of that name",
          "residual blocks such as input_blocks.1.0.in_layers.2.weight at every level");
}

void read_way_up(UnetConfig& config, const Shapes& shapes) {
    std::size_t level = config.levels.size() - 1;
    for (int i = 0;; ++i) {
        const std::string block = format("output_blocks.{}", i);
        if (!shapes.has(block + ".0.in_layers.2.weight")) break;
        config.levels[level].output_depths.push_back(shapes.depth(block + ".1"));
        if (shapes.has(block + ".1.conv.weight") || shapes.has(block + ".2.conv.weight")) {
            check(level > 0, ErrorCode::BadFile, "unet: expected as many levels up as down, {}, got more", config.levels.size());
            --level;
        }
    }
}

// The width of the context, and whether projections are linear: of the first transformer that there is.
void read_transformers(UnetConfig& config, const gpu::Weights& weights) {
    bool context = false, projection = false;
    for (const auto& [name, weight] : weights) {
        const Shape& shape = weight.entry.shape;
        if (!context && name.ends_with(".attn2.to_k.weight") && shape.size() == 2)
            context = true, config.context_width = static_cast<int>(shape[1]);
        if (!projection && name.ends_with(".1.proj_in.weight")) projection = true, config.linear_projection = shape.size() == 2;
    }
}

void read_embeddings(UnetConfig& config, const Shapes& shapes, const UnetHints& hints) {
    config.time_width = shapes.length("time_embed.0.weight", 2, 0);
    if (shapes.has("time_embed.cond_proj.weight")) config.guidance_width = shapes.length("time_embed.cond_proj.weight", 2, 1);
    if (!shapes.has("label_emb.0.0.weight")) return;
    config.label_width = shapes.length("label_emb.0.0.weight", 2, 1);
    if (hints.size_embedding > 0) config.size_embedding = hints.size_embedding;
    // SDXL: 1280 + 6 numbers, its refiner: 1280 + 5 numbers. A label of another width is text or picture alone (SD 2.1 unCLIP).
    const int sizes = config.size_embedding, rest = config.label_width - 1280;
    if (hints.pooled_width > 0)
        config.pooled_width = hints.pooled_width;
    else if (rest == 6 * sizes || rest == 5 * sizes)
        config.pooled_width = 1280;
    else
        config.pooled_width = hints.size_embedding > 0 ? config.label_width - 6 * sizes : config.label_width;
    check(config.pooled_width >= 0 && config.pooled_width <= config.label_width && (config.label_width - config.pooled_width) % config.size_embedding == 0,
          ErrorCode::BadFile, "unet: expected label_emb to read pooled text and numbers embedded in {} values, got {} of which {} are pooled text",
          config.size_embedding, config.label_width, config.pooled_width);
}

void choose_heads(UnetConfig& config, const UnetHints& hints) {
    check(hints.heads.size() <= 1 || hints.heads.size() == config.levels.size(), ErrorCode::BadFile,
          "unet: expected one number of heads or {}, got {}", config.levels.size(), hints.heads.size());
    const auto usual = [&](int channels) {
        return config.linear_projection ? std::max(1, channels / head_size_since_sd2) : heads_of_sd1;
    };
    for (std::size_t i = 0; i < config.levels.size(); ++i) {
        UnetConfig::Level& level = config.levels[i];
        const int given = hints.heads.empty() ? 0 : hints.heads.size() == 1 ? hints.heads[0] : hints.heads[i];
        level.heads = given > 0 ? given : usual(level.channels);
        check(level.channels % level.heads == 0, ErrorCode::BadFile, "unet: expected heads that divide {} channels, got {}", level.channels,
              level.heads);
    }
    config.middle_heads = config.levels.back().heads;
}

UnetConfig made(std::vector<int> channels, std::vector<int> depths, int middle_depth, int context, bool linear) {
    UnetConfig config;
    config.levels.clear();
    for (std::size_t i = 0; i < channels.size(); ++i)
        config.levels.push_back({.channels = channels[i], .input_depths = std::vector<int>(2, depths[i]),
                                 .output_depths = std::vector<int>(3, depths[i])});
    config.middle_depth = middle_depth;
    config.context_width = context;
    config.linear_projection = linear;
    config.time_width = 4 * channels[0];
    choose_heads(config, {});
    return config;
}

void add_sites(std::vector<AttentionSite>& sites, const std::string& transformer, int depth, int heads, int width) {
    for (int layer = 0; layer < depth; ++layer)
        for (const bool cross : {false, true})
            sites.push_back({.name = format("{}.transformer_blocks.{}.attn{}", transformer, layer, cross ? 2 : 1),
                             .cross = cross,
                             .index = static_cast<int>(sites.size()),
                             .heads = heads,
                             .width = width});
}

}  // namespace

int UnetConfig::block_count() const {
    std::size_t blocks = levels.size();      // the first convolution, and a downsampler for each level but the last
    for (const Level& level : levels) blocks += level.input_depths.size();
    return static_cast<int>(blocks);
}

std::string UnetConfig::family() const {
    const bool full = base_channels() >= 320 && time_width == 4 * base_channels();
    if (full && context_width == 2048 && label_width == 2816) return "sdxl";
    if (full && context_width == 1280 && label_width == 2560) return "sdxl-refiner";
    if (full && context_width == 1024) return "sd2";
    if (full && context_width == 768) return "sd1";
    return "pico";
}

UnetConfig read_unet_config(const gpu::Weights& weights, const UnetHints& hints) {
    const Shapes shapes(weights);
    UnetConfig config;
    config.in_channels = shapes.length("input_blocks.0.0.weight", 4, 1);
    config.out_channels = shapes.has("out.2.weight") ? shapes.length("out.2.weight", 4, 0) : 0;
    read_way_down(config, shapes);
    for (const UnetConfig::Level& level : config.levels) config.groups = std::gcd(config.groups, level.channels);
    if (hints.groups > 0) config.groups = hints.groups;
    read_way_up(config, shapes);
    config.middle = shapes.has("middle_block.0.in_layers.2.weight");
    config.middle_depth = shapes.depth("middle_block.1");
    read_transformers(config, weights);
    read_embeddings(config, shapes, hints);
    choose_heads(config, hints);
    for (const UnetConfig::Level& level : config.levels)
        check(level.channels % config.groups == 0, ErrorCode::BadFile, "unet: expected channels in {} groups, got {}", config.groups,
              level.channels);
    return config;
}

UnetConfig published_unet(std::string_view name) {
    if (name == "sd15") return made({320, 640, 1280, 1280}, {1, 1, 1, 0}, 1, 768, false);
    if (name == "sd21") return made({320, 640, 1280, 1280}, {1, 1, 1, 0}, 1, 1024, true);
    if (name == "sdxl") {
        UnetConfig config = made({320, 640, 1280}, {0, 2, 10}, 10, 2048, true);
        config.label_width = 2816, config.pooled_width = 1280;
        return config;
    }
    check(name == "refiner", ErrorCode::Usage, "unet: expected sd15, sd21, sdxl or refiner, got \"{}\"", name);
    UnetConfig config = made({384, 768, 1536, 1536}, {0, 4, 4, 0}, 4, 1280, true);
    config.label_width = 2560, config.pooled_width = 1280;
    return config;
}

ModelInfo unet_info(const UnetConfig& config) {
    const std::string family = config.family();
    return {.family = family,
            .latent = latent_format(family == "sd2" ? "sd1" : family == "sdxl-refiner" ? "sdxl" : family == "pico" ? "" : family,
                                    config.out_channels),
            .in_channels = config.in_channels,
            .context_width = config.context_width,
            .pooled_width = config.pooled_width,
            .size_ids = config.size_ids(),
            .guidance_width = config.guidance_width};
}

std::vector<AttentionSite> attention_sites(const UnetConfig& config) {
    std::vector<AttentionSite> sites;
    int block = 1;
    for (std::size_t i = 0; i < config.levels.size(); ++i) {
        const UnetConfig::Level& level = config.levels[i];
        for (const int depth : level.input_depths) add_sites(sites, format("input_blocks.{}.1", block++), depth, level.heads, level.channels);
        ++block;      // the downsampler
    }
    block = 0;
    for (std::size_t i = config.levels.size(); i-- > 0;) {
        const UnetConfig::Level& level = config.levels[i];
        for (const int depth : level.output_depths) add_sites(sites, format("output_blocks.{}.1", block++), depth, level.heads, level.channels);
    }
    add_sites(sites, "middle_block.1", config.middle_depth, config.middle_heads, config.levels.back().channels);
    return sites;
}

}  // namespace nodes
