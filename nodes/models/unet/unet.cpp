#include "nodes/models/unet/unet.h"

#include <algorithm>
#include <tuple>

#include "gpu/base/error.h"
#include "gpu/graph/autodiff.h"
#include "gpu/nn/timestep.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;
using gpu::format;
using gpu::to_string;
using gpu::Tensors;

const AttentionSite* site_of(const std::vector<AttentionSite>& sites, const std::string& transformer) {
    for (const AttentionSite& site : sites)
        if (site.name.starts_with(transformer + ".")) return &site;
    return nullptr;
}

SpatialTransformer transformer_at(const Scope& s, const std::string& name, const UnetConfig& config, int channels, int depth,
                                  const std::vector<AttentionSite>& sites) {
    return {s / name, channels, depth, config.context_width, config.groups, config.linear_projection, site_of(sites, name)};
}

// What runs in a block, one layer after the other, each followed by the block patches.
struct LayerWalk {
    const Tensor& embedding;
    const DenoiserInput& call;
    const UnetHooks& hooks;
    std::string block;      // "output_blocks.3"
    BlockSite site;

    LayerWalk(const Tensor& embedding, const DenoiserInput& call, const UnetHooks& hooks, std::string block, BlockSite::Part part, int index)
        : embedding(embedding), call(call), hooks(hooks), block(std::move(block)) {
        site.part = part;
        site.index = index;
    }

    Tensor after(Tensor h, int layer, BlockSite::Layer kind, bool last) {
        if (hooks.block.empty()) return h;
        site.name = format("{}.{}", block, layer);
        site.layer = kind;
        site.last = last;
        return hooks.after(site, std::move(h), call);
    }
    // `height`, `width`: of the map after an upsampler.
    Tensor operator()(const UnetBlock& b, const Tensor& h, std::int64_t height = 0, std::int64_t width = 0) {
        if (!hooks.recompute) return layers(b, h, height, width);
        return gpu::checkpoint([&](const Tensors& in) { return layers(b, in[0], height, width); }, {h});
    }

private:
    Tensor layers(const UnetBlock& b, Tensor h, std::int64_t height, std::int64_t width) {
        int layer = 0;
        if (b.conv) h = after((*b.conv)(h), layer++, BlockSite::Layer::Convolution, true);
        if (b.residual) h = after((*b.residual)(h, embedding), layer++, BlockSite::Layer::Residual, !b.transformer);
        if (b.transformer) h = after((*b.transformer)(h, call, hooks), layer++, BlockSite::Layer::Transformer, true);
        if (b.down) h = after((*b.down)(h), layer++, BlockSite::Layer::Resample, false);
        if (b.up) h = after((*b.up)(h, height, width), layer++, BlockSite::Layer::Resample, false);
        return h;
    }
};

// Sums what several side networks add to one place.
void add_residual(Tensor& into, const Tensor& more) { into = into ? into + more : more; }

Residuals all_residuals(const UnetHooks& hooks, const DenoiserInput& call) {
    Residuals sum;
    for (const ResidualPatch* patch : hooks.residual) {
        const Residuals one = patch->residuals(call);
        for (const auto& [block, tensor] : one.features) add_residual(sum.features[block], tensor);
        for (const auto& [block, tensor] : one.skips) add_residual(sum.skips[block], tensor);
        if (one.middle) add_residual(sum.middle, one.middle);
    }
    return sum;
}

// `to` + residual, with a message that names the place. One row may serve all.
Tensor joined(const Tensor& to, const Tensor& residual, const char* place, int block) {
    const gpu::Shape &a = to.shape(), &b = residual.shape();
    check(b.size() == 4 && (b[0] == a[0] || b[0] == 1) && b[1] == a[1] && (b[2] == a[2] || b[2] == 1) && (b[3] == a[3] || b[3] == 1),
          ErrorCode::InvalidGraph, "unet: expected a residual of shape {} for {} {}, got {}: a side network of another family or picture size?",
          to_string(a), place, block, to_string(b));
    return to + gpu::cast(residual, to.dtype());
}

void check_keys(const std::map<int, Tensor>& residuals, std::size_t blocks) {
    for (const auto& [block, tensor] : residuals)
        check(block >= 0 && static_cast<std::size_t>(block) < blocks, ErrorCode::InvalidGraph,
              "unet: expected residuals for input blocks 0 to {}, got one for {}", blocks - 1, block);
}

class UnetDenoiser final : public Denoiser {
public:
    UnetDenoiser(UnetNetwork network, const Patches& patches) : network_(std::move(network)), hooks_(patches) {}
    Tensor operator()(const DenoiserInput& input) const override { return network_(input, hooks_); }

private:
    UnetNetwork network_;
    UnetHooks hooks_;
};

}  // namespace

UnetEmbedding::UnetEmbedding(const Scope& s, const UnetConfig& c)
    : first(s / "time_embed.0", c.base_channels(), c.time_width),
      second(s / "time_embed.2", c.time_width, c.time_width),
      sinusoids(c.base_channels()),
      pooled_width(c.pooled_width),
      size_ids(c.size_ids()),
      size_embedding(c.size_embedding) {
    if (c.guidance_width > 0) guidance.emplace(s / "time_embed.cond_proj", c.guidance_width, c.base_channels(), false);
    if (c.label_width > 0)
        label.emplace(Label{nn::Linear(s / "label_emb.0.0", c.label_width, c.time_width), nn::Linear(s / "label_emb.0.2", c.time_width, c.time_width)});
}

Tensor UnetEmbedding::operator()(const DenoiserInput& call) const {
    const auto expect = [&](const Tensor& given, std::int64_t width, const char* what) {
        check(given && given.rank() == 2 && given.size(1) == width && (given.size(0) == call.batch() || given.size(0) == 1), ErrorCode::InvalidGraph,
              "unet: expected {} [{}, {}], got {}", what, call.batch(), width, given ? to_string(given.spec()) : "none");
    };
    check(call.timestep && call.timestep.rank() == 1 && (call.timestep.size(0) == call.batch() || call.timestep.size(0) == 1), ErrorCode::InvalidGraph,
          "unet: expected timesteps [{}], got {}", call.batch(), call.timestep ? to_string(call.timestep.spec()) : "none");
    Tensor waves = nn::timestep_embedding(call.timestep, sinusoids);               // [B, C]
    if (guidance && call.guidance) {
        expect(call.guidance, guidance->weight.size(1), "an embedded guidance");
        waves = waves + (*guidance)(call.guidance);
    }
    Tensor sum = second(gpu::silu(first(waves)));                                  // [B, time_width]
    if (label) {
        Tensors parts;
        if (pooled_width > 0) {
            expect(call.pooled, pooled_width, "pooled text");
            parts.push_back(call.pooled);
        }
        if (size_ids > 0) {
            expect(call.size_ids, size_ids, "sizes");
            const std::int64_t rows = call.size_ids.size(0);
            parts.push_back(gpu::reshape(nn::timestep_embedding(gpu::reshape(call.size_ids, {rows * size_ids}), size_embedding),
                                         {rows, std::int64_t{size_ids} * size_embedding}));
        }
        for (Tensor& part : parts) part = gpu::broadcast_to(part, {call.batch(), part.size(1)});
        const Tensor read = parts.size() == 1 ? parts[0] : gpu::concat(parts, 1);  // [B, label width]
        sum = sum + label->second(gpu::silu(label->first(read)));
    }
    return gpu::silu(sum);
}

UnetEncoder::UnetEncoder(const Scope& s, const UnetConfig& c, const std::vector<AttentionSite>& sites) : embedding(s, c) {
    input.emplace_back().conv.emplace(s / "input_blocks.0.0", c.in_channels, c.base_channels());
    widths.push_back(c.base_channels());
    for (std::size_t i = 0; i < c.levels.size(); ++i) {
        const UnetConfig::Level& level = c.levels[i];
        for (const int depth : level.input_depths) {
            const std::string name = format("input_blocks.{}", input.size());
            UnetBlock& block = input.emplace_back();
            block.residual.emplace(s / (name + ".0"), widths.back(), level.channels, c.time_width, c.groups);
            if (depth > 0) block.transformer.emplace(transformer_at(s, name + ".1", c, level.channels, depth, sites));
            widths.push_back(level.channels);
        }
        if (i + 1 == c.levels.size()) break;
        const std::string name = format("input_blocks.{}.0", input.size());
        input.emplace_back().down.emplace(s / name, level.channels);
        widths.push_back(level.channels);
    }
    if (!c.middle) return;
    const int channels = widths.back();
    middle_in.emplace(s / "middle_block.0", channels, channels, c.time_width, c.groups);
    if (c.middle_depth > 0) middle.emplace(transformer_at(s, "middle_block.1", c, channels, c.middle_depth, sites));
    middle_out.emplace(s / (middle ? "middle_block.2" : "middle_block.1"), channels, channels, c.time_width, c.groups);
}

Tensors UnetEncoder::down(const Tensor& x, const Tensor& embedding, const DenoiserInput& call, const UnetHooks& hooks,
                          const std::map<int, Tensor>& features, const Tensor& hint) const {
    check_keys(features, input.size());
    Tensors results;
    Tensor h = x;
    for (std::size_t i = 0; i < input.size(); ++i) {
        const int number = static_cast<int>(i);
        LayerWalk walk(embedding, call, hooks, format("input_blocks.{}", i), BlockSite::Part::Input, number);
        h = walk(input[i], h);
        if (i == 0 && hint) h = joined(h, hint, "the hint of input block", 0);
        if (const auto at = features.find(number); at != features.end()) h = joined(h, at->second, "input block", number);
        results.push_back(h);
    }
    return results;
}

Tensor UnetEncoder::across(Tensor h, const Tensor& embedding, const DenoiserInput& call, const UnetHooks& hooks) const {
    if (!middle_in) return h;
    LayerWalk walk(embedding, call, hooks, "middle_block", BlockSite::Part::Middle, 0);
    int layer = 0;
    h = walk.after((*middle_in)(h, embedding), layer++, BlockSite::Layer::Residual, false);
    if (middle) h = walk.after((*middle)(h, call, hooks), layer++, BlockSite::Layer::Transformer, false);
    return walk.after((*middle_out)(h, embedding), layer, BlockSite::Layer::Residual, true);
}

UnetNetwork::UnetNetwork(const Scope& s, const UnetConfig& c)
    : config_(c), encoder_(s, c, attention_sites(c)), norm_out_(s / "out.0", c.base_channels(), c.groups), conv_out_(s / "out.2", c.base_channels(), c.out_channels) {
    const std::vector<AttentionSite> sites = attention_sites(c);
    std::vector<int> skips = encoder_.widths;
    int width = skips.back();
    for (std::size_t i = c.levels.size(); i-- > 0;) {
        const UnetConfig::Level& level = c.levels[i];
        check(level.output_depths.size() <= skips.size(), ErrorCode::BadFile, "unet: expected {} output blocks, as many as input blocks, got more",
              encoder_.widths.size());
        for (std::size_t l = 0; l < level.output_depths.size(); ++l) {
            const std::string name = format("output_blocks.{}", output_.size());
            UnetBlock& block = output_.emplace_back();
            block.residual.emplace(s / (name + ".0"), width + skips.back(), level.channels, c.time_width, c.groups);
            const int depth = level.output_depths[l];
            if (depth > 0) block.transformer.emplace(transformer_at(s, name + ".1", c, level.channels, depth, sites));
            if (i > 0 && l + 1 == level.output_depths.size()) block.up.emplace(s / (name + (depth > 0 ? ".2" : ".1")), level.channels);
            width = level.channels;
            skips.pop_back();
        }
    }
    check(skips.empty(), ErrorCode::BadFile, "unet: expected {} output blocks, as many as input blocks, got {}", encoder_.widths.size(), output_.size());
}

Tensor UnetNetwork::operator()(const DenoiserInput& input, const UnetHooks& hooks) const {
    check(input.latent && input.latent.rank() == 4, ErrorCode::InvalidGraph, "unet: expected a latent [B, C, h, w], got {}",
          input.latent ? to_string(input.latent.spec()) : "none");
    DenoiserInput call = input;
    check(call.context && call.context.rank() == 3, ErrorCode::InvalidGraph, "unet: expected a context [B, L, D], got {}",
          call.context ? to_string(call.context.spec()) : "none");
    for (const TokenPatch* patch : hooks.token) call.context = patch->context(call, call.context);
    check(call.context.size(2) == config_.context_width && (call.context.size(0) == call.batch() || call.context.size(0) == 1), ErrorCode::InvalidGraph,
          "unet: expected a context [{}, L, {}], got {}: text of another family's encoder?", call.batch(), config_.context_width, to_string(call.context.spec()));

    Tensors parts{call.latent};
    Tensor seeing;                                                                         // [B, 1, 1, 1], 0 for blind rows
    if (std::ranges::find(call.blind, true) != call.blind.end()) {
        std::vector<float> rows;
        for (const bool blind : call.blind) rows.push_back(blind ? 0.0f : 1.0f);
        seeing = gpu::tensor(rows, {call.batch(), 1, 1, 1});
    }
    for (const InputPatch* patch : hooks.input) {
        Tensor more = patch->channels(call);
        if (seeing) more = more * seeing;
        check(more.rank() == 4 && (more.size(0) == 1 || more.size(0) == call.batch()) && more.size(2) == call.latent.size(2) && more.size(3) == call.latent.size(3),
              ErrorCode::InvalidGraph, "unet: expected input channels [{}, C, {}, {}], got {}", call.batch(), call.latent.size(2), call.latent.size(3), to_string(more.spec()));
        parts.push_back(gpu::broadcast_to(more, {call.batch(), more.size(1), more.size(2), more.size(3)}));
    }
    const Tensor x = parts.size() == 1 ? parts[0] : gpu::concat(parts, 1);                 // [B, in_channels, h, w]
    check(x.size(1) == config_.in_channels, ErrorCode::InvalidGraph, "unet: expected {} input channels, got {} of the latent and {} of input patches{}",
          config_.in_channels, call.latent.size(1), x.size(1) - call.latent.size(1),
          config_.in_channels == 9 && x.size(1) == 4 ? ": an inpainting model wants a mask and a masked picture" : "");

    const Tensor embedding = encoder_.embedding(call);                                     // [B, time_width]
    const Residuals added = all_residuals(hooks, call);
    check_keys(added.skips, encoder_.input.size());
    Tensors skips = encoder_.down(x, embedding, call, hooks, added.features);
    Tensor h = encoder_.across(skips.back(), embedding, call, hooks);                      // [B, C, h / 8, w / 8]
    if (added.middle) h = joined(h, added.middle, "middle block", 0);
    for (std::size_t i = 0; i < output_.size(); ++i) {
        const int from = static_cast<int>(skips.size()) - 1;
        Tensor skip = skips.back();
        skips.pop_back();
        if (const auto at = added.skips.find(from); at != added.skips.end()) skip = joined(skip, at->second, "the skip of input block", from);
        LayerWalk walk(embedding, call, hooks, format("output_blocks.{}", i), BlockSite::Part::Output, static_cast<int>(i));
        walk.site.name = walk.block;
        const gpu::Dtype type = h.dtype();
        for (const BlockPatch* patch : hooks.block) std::tie(h, skip) = patch->join(walk.site, h, skip, call);
        h = gpu::cast(h, type), skip = gpu::cast(skip, type);                              // patches may compute in F32
        h = walk(output_[i], gpu::concat({h, skip}, 1), skips.empty() ? 0 : skips.back().size(2), skips.empty() ? 0 : skips.back().size(3));
    }
    return conv_out_(gpu::silu(norm_out_(h)));                                             // [B, out_channels, h, w]
}

Unet::Unet(gpu::Weights weights, UnetConfig config, ModelInfo info)
    : weights_(std::move(weights)), config_(std::move(config)), info_(std::move(info)) {
    // Names and shapes are checked here, bytes are read when a network is built.
    const Scope shapes = Scope::weights(weights_);
    const UnetNetwork network(shapes, config_);
    shapes.finish("unet");
}

const NamedTensors& Unet::leaves() const {
    std::call_once(once_, [&] {
        for (const auto& [name, weight] : weights_) leaves_.emplace(name, gpu::to_leaf(weight));
    });
    return leaves_;
}

std::shared_ptr<const Denoiser> Unet::build(const Patches& patches) const {
    const Patches bound = bound_patches(patches, *this);
    return std::make_shared<const UnetDenoiser>(UnetNetwork(Scope::tensors(merged_weights(weights_, leaves(), bound), patch_branches(weights_, bound)), config_), bound);
}

std::string Unet::summary() const {
    static const std::map<std::string, std::string> titles = {{"sd1", "SD 1"}, {"sd2", "SD 2"}, {"sdxl", "SDXL"}, {"sdxl-refiner", "SDXL refiner"}};
    double count = 0;
    std::map<std::string, double> types;
    for (const auto& [name, weight] : weights_) {
        const double elements = static_cast<double>(gpu::element_count(weight.entry.shape));
        count += elements;
        types[gpu::type_name(weight.entry)] += elements;
    }
    const auto most = std::max_element(types.begin(), types.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    const auto title = titles.find(info_.family);
    return format("{} UNet, {} weights, {}{}", title == titles.end() ? "small" : title->second,
                  count >= 1e6 ? format("{}M", static_cast<std::int64_t>(count / 1e6)) : format("{}k", static_cast<std::int64_t>(count / 1e3)),
                  most == types.end() ? "none" : most->first,
                  config_.in_channels == config_.out_channels ? "" : format(", {} input channels", config_.in_channels));
}

std::shared_ptr<const DiffusionModel> make_unet(gpu::Weights weights, const UnetConfig& config, ModelInfo info) {
    return std::make_shared<const Unet>(std::move(weights), config, std::move(info));
}

std::shared_ptr<const DiffusionModel> make_unet(gpu::Weights weights) {
    const UnetConfig config = read_unet_config(weights);
    return make_unet(std::move(weights), config, unet_info(config));
}

}  // namespace nodes
