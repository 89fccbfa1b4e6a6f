#include "nodes/models/clip/vision.h"

#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/base/format.h"

namespace nodes {
namespace {

const gpu::Shape* shape_of(const gpu::Weights& weights, std::string_view name, std::size_t rank) {
    const auto at = weights.find(name);
    return at != weights.end() && at->second.entry.shape.size() == rank ? &at->second.entry.shape : nullptr;
}

bool sixteen_heads(int width) { return width == 1280 || width == 1408 || width == 1664; }

}  // namespace

ClipVisionConfig read_clip_vision_config(const gpu::Weights& weights, const ClipVisionHints& hints) {
    const gpu::Shape* patches = shape_of(weights, "vision_model.embeddings.patch_embedding.weight", 4);
    const gpu::Shape* positions = shape_of(weights, "vision_model.embeddings.position_embedding.weight", 2);
    const gpu::Shape* inner = shape_of(weights, "vision_model.encoder.layers.0.mlp.fc1.weight", 2);
    gpu::check(patches && positions && inner, gpu::ErrorCode::BadFile,
               "vision tower: expected patch and position embeddings and layers of a CLIP vision transformer, got {}",
               weights.empty() ? "no tensors" : "tensors such as " + weights.begin()->first);
    ClipVisionConfig config;
    config.width = static_cast<int>((*patches)[0]);
    config.patch = static_cast<int>((*patches)[3]);
    config.inner = static_cast<int>((*inner)[0]);
    const auto grid = static_cast<int>(std::lround(std::sqrt(static_cast<double>((*positions)[0] - 1))));
    gpu::check(grid > 0 && std::int64_t{grid} * grid + 1 == (*positions)[0], gpu::ErrorCode::BadFile,
               "vision tower: expected positions for a class token and a square of patches, got {}", (*positions)[0]);
    config.image = grid * config.patch;
    config.layers = 0;
    while (weights.contains(gpu::format("vision_model.encoder.layers.{}.mlp.fc1.weight", config.layers))) ++config.layers;
    const gpu::Shape* projection = shape_of(weights, "visual_projection.weight", 2);
    config.projection = projection ? static_cast<int>((*projection)[0]) : 0;
    config.heads = hints.heads > 0 ? hints.heads : sixteen_heads(config.width) ? 16 : std::max(1, config.width / 64);
    config.activation = hints.activation.value_or(config.width <= 1024 ? ClipActivation::QuickGelu : ClipActivation::Gelu);
    gpu::check(config.width % config.heads == 0, gpu::ErrorCode::BadFile, "vision tower: expected a number of heads that divides the width {}, got {}",
               config.width, config.heads);
    return config;
}

ClipVisionConfig published_clip_vision(std::string_view name) {
    if (name == "clip-l") return {};
    if (name == "clip-h") return {.width = 1280, .layers = 32, .inner = 5120, .projection = 1024, .activation = ClipActivation::Gelu};
    gpu::check(name == "clip-g", gpu::ErrorCode::Usage, "vision tower: expected clip-l, clip-h or clip-g, got \"{}\"", std::string(name));
    return {.width = 1664, .layers = 48, .inner = 8192, .projection = 1280, .activation = ClipActivation::Gelu};
}

ClipVision::ClipVision(const Scope& s, const ClipVisionConfig& c)
    : config_(c),
      class_token_((s / "vision_model.embeddings").weight("class_embedding", {c.width}, {.bound = 0.035})),
      position_table_((s / "vision_model.embeddings.position_embedding").weight("weight", {c.grid() * c.grid() + 1, c.width}, {.bound = 0.035})),
      patches_(s / "vision_model.embeddings.patch_embedding", 3, c.width, {.kernel = c.patch, .stride = c.patch, .pad = 0, .bias = false}),
      norm_in_(s / "vision_model.pre_layrnorm", c.width),
      layers_(clip_layers(s / "vision_model", c.layers, c.width, c.inner, c.heads, c.activation)),
      norm_out_(s / "vision_model.post_layernorm", c.width) {
    if (c.projection > 0) projection_.emplace(s / "visual_projection", c.width, c.projection, false);
}

std::vector<Tensor> ClipVision::states(const Tensor& pictures) const {
    gpu::check(pictures.rank() == 4 && pictures.size(1) == 3 && pictures.size(2) == config_.image && pictures.size(3) == config_.image,
               gpu::ErrorCode::InvalidGraph, "vision tower: expected pictures [B, 3, {}, {}], got {}", config_.image, config_.image,
               gpu::to_string(pictures.spec()));
    const std::int64_t batch = pictures.size(0), width = config_.width;
    const Tensor map = patches_(pictures);                                                               // [B, width, grid, grid]
    const Tensor patches = gpu::permute(gpu::reshape(map, {batch, width, -1}), {0, 2, 1});               // [B, grid^2, width]
    const Tensor first = gpu::broadcast_to(gpu::reshape(class_token_, {1, 1, width}), {batch, 1, width});
    std::vector<Tensor> states{norm_in_(gpu::concat({first, patches}, 1) + position_table_)};            // [B, 1 + grid^2, width]
    for (const ClipLayer& layer : layers_) states.push_back(layer(states.back(), false));
    return states;
}

Tensor ClipVision::pooled(const Tensor& last) const { return norm_out_(gpu::squeeze(gpu::slice(last, 1, 0, 1), {1})); }

Tensor ClipVision::projected(const Tensor& pooled) const {
    gpu::check(can_project(), gpu::ErrorCode::InvalidGraph, "vision tower: expected weights with visual_projection, got none");
    return (*projection_)(pooled);
}

Tensor unit_length(const Tensor& embeddings) { return embeddings * gpu::rsqrt(gpu::sum(gpu::square(embeddings), {1}) + 1e-12); }

Tensor clip_pixels(const Tensor& colours, int side, VisionFit fit) {
    gpu::check(colours.rank() == 4 && colours.size(1) == 3 && colours.size(2) > 0 && colours.size(3) > 0, gpu::ErrorCode::InvalidGraph,
               "vision tower: expected colours [N, 3, H, W], got {}", gpu::to_string(colours.spec()));
    const Tensor mean = gpu::reshape(gpu::tensor({0.48145466F, 0.4578275F, 0.40821073F}), {1, 3, 1, 1}),
                 deviation = gpu::reshape(gpu::tensor({0.26862954F, 0.26130258F, 0.27577711F}), {1, 3, 1, 1});
    const std::int64_t h = colours.size(2), w = colours.size(3), fitting = fit == VisionFit::Pad ? std::max(h, w) : std::min(h, w);
    const auto scaled = [&](std::int64_t length) { return fit == VisionFit::Stretch ? side : std::max<std::int64_t>(1, length * side / fitting); };
    const std::int64_t height = scaled(h), width = scaled(w);
    // What the cubic filter overshoots is clipped, as 8-bit pictures do.
    const Tensor sized = height == h && width == w ? colours : gpu::clamp(gpu::resize(colours, height, width, gpu::Filter::Bicubic), 0, 1);
    const Tensor normal = (sized - mean) / deviation;
    if (fit == VisionFit::Pad) {
        const int top = static_cast<int>(side - height) / 2, left = static_cast<int>(side - width) / 2;
        return gpu::pad2d(normal, left, static_cast<int>(side - width) - left, top, static_cast<int>(side - height) - top, gpu::PadMode::Zero);
    }
    const std::int64_t top = (height - side) / 2, left = (width - side) / 2;
    return gpu::slice(gpu::slice(normal, 2, top, top + side), 3, left, left + side);
}

}  // namespace nodes
