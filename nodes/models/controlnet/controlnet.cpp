#include "nodes/models/controlnet/controlnet.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "gpu/base/error.h"
#include "gpu/graph/autocast.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/controlnet/complete.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;
using gpu::format;
using gpu::to_string;

bool halves(std::size_t layer, std::size_t count) { return layer > 0 && layer % 2 == 0 && layer + 1 < count; }

// Rows first ... last of everything that has rows of its own.
DenoiserInput rows_of(const DenoiserInput& call, std::int64_t first, std::int64_t last) {
    DenoiserInput part = call;
    for (Tensor* tensor : {&part.latent, &part.timestep, &part.context, &part.pooled, &part.size_ids, &part.guidance})
        if (*tensor && tensor->size(0) > 1) *tensor = gpu::slice(*tensor, 0, first, last);
    part.negative.assign(static_cast<std::size_t>(last - first), false);
    if (!call.regions.empty()) part.regions.assign(call.regions.begin() + first, call.regions.begin() + last);
    return part;
}

template <typename F>
void each(Residuals& residuals, F change) {
    for (auto* places : {&residuals.features, &residuals.skips})
        for (auto& [block, tensor] : *places) tensor = change(tensor);
    if (residuals.middle) residuals.middle = change(residuals.middle);
}

class ControlNetPatch final : public ResidualPatch {
public:
    ControlNetPatch(std::shared_ptr<const ControlNet> net, Tensor picture, const ControlOptions& options,
                    std::shared_ptr<const ControlNetBranch> branch = nullptr)
        : net_(std::move(net)), picture_(std::move(picture)), options_(options), branch_(std::move(branch)) {}

    std::string summary() const override { return format("{} at {}", net_->summary(), options_.strength); }
    PatchRef bound(const DiffusionModel& base) const override {
        return std::make_shared<const ControlNetPatch>(net_, picture_, options_, net_->branch(base));
    }
    Residuals residuals(const DenoiserInput& input) const override {
        if (!options_.active(input.at)) return {};
        const std::int64_t batch = input.batch();
        std::int64_t first = 0, last = batch;
        if ((options_.guess || options_.pooled) && !input.negative.empty()) {
            check(static_cast<std::int64_t>(input.negative.size()) == batch, ErrorCode::InvalidGraph, "control: expected {} marks of negative rows, got {}",
                  batch, input.negative.size());
            while (first < last && input.negative[static_cast<std::size_t>(first)]) ++first;
            while (last > first && input.negative[static_cast<std::size_t>(last - 1)]) --last;
            if (first == last) return {};
        }
        Tensor hint = for_call(encoded_picture(input), input, net_->name());
        if (hint.size(0) > 1) hint = gpu::slice(hint, 0, first, last);
        DenoiserInput call = rows_of(input, first, last);
        Residuals sum = scaled((*net())(call, hint), options_, std::vector<bool>(input.negative.empty() ? input.negative.end() : input.negative.begin() + first,
                                                                               input.negative.empty() ? input.negative.end() : input.negative.begin() + last));
        if (first > 0 || last < batch) each(sum, [&](const Tensor& x) { return gpu::pad(x, {first, 0, 0, 0}, {batch - last, 0, 0, 0}); });
        return sum;
    }

private:
    std::shared_ptr<const ControlNetBranch> net() const { return branch_ ? branch_ : net_->branch(); }

    // The picture encoded for a whole latent of this size: the same at every step, so computed once.
    Tensor encoded_picture(const DenoiserInput& input) const {
        const std::int64_t rows = picture_.size(0);
        const HintEncoder& encoder = net()->hint();
        const std::int64_t height = input.whole_height() * encoder.factor(), width = input.whole_width() * encoder.factor();
        const std::lock_guard lock(mutex_);
        Tensor& hint = hints_[{height, width}];
        if (hint) return hint;
        Tensor picture = picture_;
        if (encoder.picture_channels() == 3 && picture.size(1) == 1) picture = gpu::broadcast_to(picture, {rows, 3, picture.size(2), picture.size(3)});
        check(picture.size(1) == encoder.picture_channels(), ErrorCode::InvalidGraph, "{}: expected a picture of {} channels, got {}", net_->name(),
              encoder.picture_channels(), picture.size(1));
        if (picture.size(2) != height || picture.size(3) != width) picture = gpu::resize(picture, height, width, gpu::Filter::Bilinear);
        const gpu::Autocast as_written(gpu::Dtype::F32);      // networks of any activations share it
        const Tensor encoded = encoder(picture);
        gpu::evaluate({encoded});
        return hint = encoded;
    }

    std::shared_ptr<const ControlNet> net_;
    Tensor picture_;
    ControlOptions options_;
    std::shared_ptr<const ControlNetBranch> branch_;
    mutable std::mutex mutex_;
    mutable std::map<std::pair<std::int64_t, std::int64_t>, Tensor> hints_;
};

}  // namespace

HintEncoder::HintEncoder(const Scope& s, int out) {
    std::vector<gpu::Shape> shapes;
    for (int i = 0; s.has(format("{}.weight", 2 * i)); ++i) shapes.push_back(s.shape_of(format("{}.weight", 2 * i)));
    if (shapes.empty()) {      // drawn or empty weights: the published widths
        int width = 3;
        for (const int next : {16, 16, 32, 32, 96, 96, 256, out}) shapes.push_back({next, width, 3, 3}), width = next;
    }
    for (std::size_t i = 0; i < shapes.size(); ++i) {
        check(shapes[i].size() == 4, ErrorCode::BadFile, "ControlNet: expected 4 axes for input_hint_block.{}.weight, got {}", 2 * i, to_string(shapes[i]));
        layers.emplace_back(s / std::to_string(2 * i), static_cast<int>(shapes[i][1]), static_cast<int>(shapes[i][0]),
                            nn::Conv{.stride = halves(i, shapes.size()) ? 2 : 1});
    }
}

int HintEncoder::factor() const {
    int factor = 1;
    for (std::size_t i = 0; i < layers.size(); ++i)
        if (halves(i, layers.size())) factor *= 2;
    return factor;
}

Tensor HintEncoder::operator()(Tensor x) const {
    for (std::size_t i = 0; i < layers.size(); ++i) x = i + 1 < layers.size() ? gpu::silu(layers[i](x)) : layers[i](x);
    return x;      // [N, C, H / 8, W / 8]
}

ControlNetBranch::ControlNetBranch(const Scope& s, const UnetConfig& config)
    : config_(config), hint_(s / "input_hint_block", config.base_channels()), encoder_(s, config, attention_sites(config)) {
    const nn::Conv one{.kernel = 1, .pad = 0};
    for (std::size_t i = 0; i < encoder_.widths.size(); ++i)
        zero_.emplace_back(s / format("zero_convs.{}.0", i), encoder_.widths[i], encoder_.widths[i], one);
    if (config.middle) middle_.emplace(s / "middle_block_out.0", encoder_.widths.back(), encoder_.widths.back(), one);
}

Residuals ControlNetBranch::operator()(const DenoiserInput& call, const Tensor& hint) const {
    check(call.context && call.context.rank() == 3 && call.context.size(2) == config_.context_width, ErrorCode::InvalidGraph,
          "ControlNet: expected text of width {}, got {}: a ControlNet of another family than the model?", config_.context_width,
          call.context ? to_string(call.context.spec()) : "none");
    check(call.latent.size(1) >= config_.in_channels, ErrorCode::InvalidGraph, "ControlNet: expected a latent of {} channels, got {}", config_.in_channels,
          call.latent.size(1));
    const Tensor x = call.latent.size(1) == config_.in_channels ? call.latent : gpu::slice(call.latent, 1, 0, config_.in_channels);
    static const UnetHooks none;
    const Tensor embedding = encoder_.embedding(call);
    const gpu::Tensors maps = encoder_.down(x, embedding, call, none, {}, hint);
    Residuals added;
    for (std::size_t i = 0; i < maps.size(); ++i) added.skips[static_cast<int>(i)] = zero_[i](maps[i]);
    if (middle_) added.middle = (*middle_)(encoder_.across(maps.back(), embedding, call, none));
    return added;
}

Residuals scaled(Residuals residuals, const ControlOptions& options, const std::vector<bool>& negative) {
    const double last = static_cast<double>(residuals.skips.size());      // of the levels, with the middle block as the last one
    const auto level = [&](int block) { return options.guess && last > 0 ? std::pow(10.0, block / last - 1) : 1.0; };
    for (auto& [block, tensor] : residuals.skips) tensor = tensor * (options.strength * level(block));
    for (auto& [block, tensor] : residuals.features) tensor = tensor * options.strength;
    if (residuals.middle) residuals.middle = residuals.middle * options.strength;
    if (options.pooled) each(residuals, [](const Tensor& x) { return gpu::mean(x, {2, 3}); });
    if ((options.guess || options.pooled) && std::find(negative.begin(), negative.end(), true) != negative.end()) {
        std::vector<float> rows;
        for (const bool off : negative) rows.push_back(off ? 0.0F : 1.0F);
        const Tensor mask = gpu::tensor(rows, {static_cast<std::int64_t>(rows.size()), 1, 1, 1});
        each(residuals, [&](const Tensor& x) { return x * mask; });
    }
    return residuals;
}

ControlNet::ControlNet(gpu::Weights weights, ControlForm form, const UnetHints& hints, std::string name, bool pools)
    : weights_(std::move(weights)), form_(form), hints_(hints), name_(std::move(name)), pools_(pools) {
    if (form_ == ControlForm::Lora) return;      // without the base there is nothing to check it against
    const Scope scope = Scope::weights(weights_);
    const ControlNetBranch checked(scope, read_unet_config(weights_, hints_));
    scope.finish(name_);
}

std::string ControlNet::summary() const {
    std::string family;
    if (form_ != ControlForm::Lora) family = read_unet_config(weights_, hints_).family();
    return format("{} {}{}{}", form_ == ControlForm::Lora ? "Control-LoRA" : "ControlNet", name_, family.empty() ? "" : ", ", family);
}

std::shared_ptr<const ControlNetBranch> ControlNet::branch() const {
    check(form_ == ControlForm::Whole, ErrorCode::InvalidGraph, "{}: expected the model that this {} changes, got none", name_,
          form_ == ControlForm::Lora ? "Control-LoRA" : "difference");
    const std::lock_guard lock(mutex_);
    if (!branch_) branch_ = std::make_shared<const ControlNetBranch>(Scope::weights(weights_), read_unet_config(weights_, hints_));
    return branch_;
}

std::shared_ptr<const ControlNetBranch> ControlNet::branch(const DiffusionModel& base) const {
    const std::lock_guard lock(mutex_);
    const std::shared_ptr<const void> keeper = base.weights().empty() ? nullptr : base.weights().begin()->second.owner;
    if (branch_ && keeper && base_.lock() == keeper) return branch_;
    const auto* unet = dynamic_cast<const Unet*>(&base);
    check(unet, ErrorCode::InvalidGraph, "{}: expected a UNet of Stable Diffusion to steer, got {}", name_, base.summary());
    if (form_ == ControlForm::Lora) {
        UnetConfig config = unet->config();
        config.in_channels = 4;
        const Scope scope = Scope::tensors(completed_lora(weights_, base.weights(), name_));
        branch_ = std::make_shared<const ControlNetBranch>(scope, config);
        gpu::check(scope.missing().empty(), ErrorCode::InvalidGraph, "{}: expected a Control-LoRA of {}, got one of another model ({} is missing)", name_,
                   base.summary(), scope.missing().empty() ? "" : scope.missing().front());
    } else {
        UnetHints hints = hints_;
        const UnetConfig own = read_unet_config(weights_, hints);
        check(own.context_width == unet->config().context_width && own.base_channels() == unet->config().base_channels(), ErrorCode::InvalidGraph,
              "{}: expected a ControlNet for {}, got one of family {} with text of width {}", name_, base.summary(), own.family(), own.context_width);
        // Heads are not in the file: a copy has the base's.
        if (hints.heads.empty() && own.levels.size() == unet->config().levels.size())
            for (const UnetConfig::Level& level : unet->config().levels) hints.heads.push_back(level.heads);
        if (hints.groups == 0) hints.groups = unet->config().groups;
        if (hints.size_embedding == 0 && own.label_width > 0) hints.size_embedding = unet->config().size_embedding, hints.pooled_width = unet->config().pooled_width;
        const Scope scope = form_ == ControlForm::Whole ? Scope::weights(weights_) : Scope::tensors(completed_difference(weights_, base.weights()));
        branch_ = std::make_shared<const ControlNetBranch>(scope, read_unet_config(weights_, hints));
    }
    base_ = keeper;
    return branch_;
}

PatchRef ControlNet::patch(const Tensor& picture, const ControlOptions& options) const {
    check(picture.rank() == 4 && (picture.size(1) == 1 || picture.size(1) == 3), ErrorCode::InvalidGraph, "control: expected a picture [N, 3, H, W], got {}",
          to_string(picture.spec()));
    return std::make_shared<const ControlNetPatch>(shared_from_this(), picture, options);
}

}  // namespace nodes
