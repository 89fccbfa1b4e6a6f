#include "nodes/models/t2i_adapter/t2i_adapter.h"

#include <map>
#include <mutex>

#include "gpu/base/error.h"
#include "gpu/graph/autocast.h"
#include "gpu/run/evaluate.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;
using gpu::format;

// Means of 2 x 2 cells; of what there is at an odd border.
Tensor halved(const Tensor& x) {
    const bool tall = x.size(2) % 2 == 1, wide = x.size(3) % 2 == 1;
    const Tensor even = tall || wide ? gpu::pad2d(x, 0, wide, 0, tall, gpu::PadMode::Replicate) : x;
    const Tensor cells = gpu::reshape(even, {even.size(0), even.size(1), even.size(2) / 2, 2, even.size(3) / 2, 2});
    return gpu::mean(cells, {3, 5}, false);
}

// diffusers: adapter.body.I.resnets.J.* for full, adapter.body.I.resnets.J.* with in_conv and out_conv for light.
std::string original_name(const std::string& name, bool light) {
    constexpr std::string_view prefix = "adapter.";
    if (!name.starts_with(prefix)) return name;
    const std::string own = name.substr(prefix.size());
    for (int level = 0; level < 8; ++level) {
        const std::string body = format("body.{}.", level);
        if (!own.starts_with(body)) continue;
        const std::string rest = own.substr(body.size());
        for (int block = 0; block < 8; ++block) {
            const std::string resnet = format("resnets.{}.", block);
            if (!rest.starts_with(resnet)) continue;
            const std::string tail = rest.substr(resnet.size());
            return light ? format("body.{}.body.{}.{}", level, block, tail) : format("body.{}.{}", 2 * level + block, tail);
        }
        return light ? own : format("body.{}.{}", 2 * level, rest);
    }
    return own;
}

nn::Conv2d conv_of(const Scope& s, int stride = 1) {
    const gpu::Shape shape = s.shape_of("weight");
    check(shape.size() == 4, ErrorCode::BadFile, "T2I-Adapter: expected {}.weight with 4 axes, got {}", s.path(), gpu::to_string(shape));
    return {s, static_cast<int>(shape[1]), static_cast<int>(shape[0]), {.kernel = static_cast<int>(shape[2]), .stride = stride, .pad = static_cast<int>(shape[2] / 2)}};
}

class AdapterPatch final : public ResidualPatch {
public:
    AdapterPatch(std::shared_ptr<const T2iAdapter> net, std::string name, Tensor picture, const ControlOptions& options)
        : net_(std::move(net)), name_(std::move(name)), picture_(std::move(picture)), options_(options) {}

    std::string summary() const override { return format("T2I-Adapter {} at {}", name_, options_.strength); }
    Residuals residuals(const DenoiserInput& input) const override {
        if (!options_.active(input.at)) return {};
        const Residuals& features = features_of(input.whole_height() * 8, input.whole_width() * 8);
        std::vector<float> weights(static_cast<std::size_t>(input.batch()), static_cast<float>(options_.strength));
        if (options_.guess || options_.pooled)
            for (std::size_t i = 0; i < input.negative.size() && i < weights.size(); ++i)
                if (input.negative[i]) weights[i] = 0;
        const Tensor weight = gpu::tensor(weights, {input.batch(), 1, 1, 1});
        // Each level has half the sides of the one before, SDXL's last two alike.
        const auto shown = [&](const Tensor& x) {
            std::int64_t factor = 1;
            while ((input.whole_height() + factor - 1) / factor > x.size(2)) factor *= 2;
            return for_call(x, input, name_, factor) * weight;
        };
        Residuals added;
        for (const auto& [block, tensor] : features.features) added.features[block] = shown(tensor);
        if (features.middle) added.middle = shown(features.middle);
        return added;
    }

private:
    const Residuals& features_of(std::int64_t height, std::int64_t width) const {
        const std::int64_t step = net_->unshuffle();
        height = (height + step - 1) / step * step, width = (width + step - 1) / step * step;
        const std::lock_guard lock(mutex_);
        const auto [at, fresh] = kept_.try_emplace({height, width});
        if (!fresh) return at->second;
        const gpu::Autocast as_written(gpu::Dtype::F32);      // networks of any activations share it
        Tensor picture = picture_;
        if (net_->picture_channels() == 1 && picture.size(1) == 3) picture = gpu::mean(picture, {1});
        if (net_->picture_channels() == 3 && picture.size(1) == 1) picture = gpu::broadcast_to(picture, {picture.size(0), 3, picture.size(2), picture.size(3)});
        if (picture.size(2) != height || picture.size(3) != width) picture = gpu::resize(picture, height, width, gpu::Filter::Bilinear);
        Residuals made = (*net_)(picture);
        gpu::Tensors all;
        for (const auto& [block, tensor] : made.features) all.push_back(tensor);
        if (made.middle) all.push_back(made.middle);
        gpu::evaluate(all);
        return at->second = std::move(made);
    }

    std::shared_ptr<const T2iAdapter> net_;
    std::string name_;
    Tensor picture_;
    ControlOptions options_;
    mutable std::mutex mutex_;
    mutable std::map<std::pair<std::int64_t, std::int64_t>, Residuals> kept_;
};

class AdapterControl final : public ControlNetwork {
public:
    AdapterControl(std::shared_ptr<const T2iAdapter> net, std::string name) : net_(std::move(net)), name_(std::move(name)) {}
    PatchRef patch(const Tensor& picture, const ControlOptions& options) const override {
        return std::make_shared<const AdapterPatch>(net_, name_, picture, options);
    }
    std::string summary() const override { return "T2I-Adapter " + name_; }

private:
    std::shared_ptr<const T2iAdapter> net_;
    std::string name_;
};

}  // namespace

bool is_t2i_adapter(const gpu::Checkpoint& file) {
    for (const std::string_view prefix : {"", "adapter."}) {
        const std::string at(prefix);
        if (file.find(at + "body.0.in_conv.weight") && file.find(at + "body.0.out_conv.weight")) return true;
        if (file.find(at + "conv_in.weight") && (file.find(at + "body.0.block1.weight") || file.find(at + "body.0.resnets.0.block1.weight"))) return true;
    }
    return false;
}

void add_t2i_adapter_weights(gpu::Weights& into, const gpu::Checkpoint& file) {
    const bool light = file.find("adapter.body.0.out_conv.weight") || file.find("body.0.out_conv.weight");
    gpu::add_weights(into, file, [&](const std::string& name) { return original_name(name, light); });
}

Tensor T2iAdapter::Block::operator()(Tensor x) const {
    if (down) x = (*down)(x);
    if (pools) x = halved(x);
    if (in) x = (*in)(x);
    return block2(gpu::relu(block1(x))) + x;
}

Tensor T2iAdapter::Extractor::operator()(Tensor x) const {
    if (pools) x = halved(x);
    x = in(x);
    for (const Block& block : body) x = block(x);
    return out(x);
}

T2iAdapter::T2iAdapter(const Scope& s) {
    std::int64_t unshuffled = 0;      // channels of the picture folded into cells
    if (s.has("body.0.out_conv.weight")) {
        for (int level = 0; s.has(format("body.{}.in_conv.weight", level)); ++level) {
            const Scope body = s / format("body.{}", level);
            Extractor made{.in = conv_of(body / "in_conv"), .body = {}, .out = conv_of(body / "out_conv"), .pools = level > 0};
            for (int block = 0; body.has(format("body.{}.block1.weight", block)); ++block) {
                const Scope at = body / format("body.{}", block);
                made.body.push_back({.down = {}, .in = {}, .block1 = conv_of(at / "block1"), .block2 = conv_of(at / "block2")});
            }
            light_.push_back(std::move(made));
        }
        unshuffled = light_.front().in.weight.size(1);
    } else {
        conv_in_.emplace(conv_of(s / "conv_in"));
        unshuffled = conv_in_->weight.size(1);
        sdxl_ = unshuffled == 256 || unshuffled == 768;      // 16 x 16 pixels of one channel or three
        unshuffle_ = sdxl_ ? 16 : 8;
        for (int block = 0; s.has(format("body.{}.block1.weight", block)); ++block) {
            const Scope at = s / format("body.{}", block);
            const bool level_starts = block % 2 == 0 && block > 0, halves = level_starts && (!sdxl_ || block == 4);
            Block made{.down = {}, .in = {}, .block1 = conv_of(at / "block1"), .block2 = conv_of(at / "block2")};
            if (at.has("in_conv.weight")) made.in.emplace(conv_of(at / "in_conv"));
            if (at.has("down_opt.op.weight")) made.down.emplace(conv_of(at / "down_opt.op", 2));
            made.pools = halves && !made.down;
            body_.push_back(std::move(made));
        }
    }
    picture_channels_ = unshuffled / (std::int64_t{unshuffle_} * unshuffle_);
    check(picture_channels_ * unshuffle_ * unshuffle_ == unshuffled && (picture_channels_ == 1 || picture_channels_ == 3), ErrorCode::BadFile,
          "T2I-Adapter: expected an input of 64, 192, 256 or 768 channels, got {}", unshuffled);
    check(light_.size() == 4 || body_.size() == 8, ErrorCode::BadFile, "T2I-Adapter: expected 4 levels, got {}", light_.empty() ? body_.size() / 2 : light_.size());
}

Residuals T2iAdapter::operator()(const Tensor& picture) const {
    Tensor x = gpu::pixel_unshuffle(picture, unshuffle_);            // [N, 3 * 64, H / 8, W / 8]
    if (conv_in_) x = (*conv_in_)(x);
    // The last input block of each level; SDXL's adapter starts at half the latent's size and ends at the middle block.
    static constexpr int blocks[] = {2, 5, 8, 11}, blocks_sdxl[] = {3, 5, 8};
    Residuals added;
    for (int level = 0; level < 4; ++level) {
        if (light_.empty())
            for (int block = 0; block < 2; ++block) x = body_[static_cast<std::size_t>(2 * level + block)](x);
        else
            x = light_[static_cast<std::size_t>(level)](x);
        if (sdxl_ && level == 3)
            added.middle = x;
        else
            added.features[sdxl_ ? blocks_sdxl[level] : blocks[level]] = x;
    }
    return added;
}

std::shared_ptr<const ControlNetwork> make_t2i_adapter(const gpu::Checkpoint& file, const std::string& name) {
    gpu::Weights weights;
    add_t2i_adapter_weights(weights, file);
    const Scope scope = Scope::weights(std::move(weights));
    auto net = std::make_shared<const T2iAdapter>(scope);
    scope.finish("T2I-Adapter " + name);
    return std::make_shared<const AdapterControl>(std::move(net), name);
}

}  // namespace nodes
