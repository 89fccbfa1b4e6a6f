#include "nodes/training/movement.h"

#include <cmath>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/models/lora/patch.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;

// Layers whose result is added to what passes by start at nothing, and so does the network's output: the start that these networks have
// had since DDPM's.
bool starts_at_zero(std::string_view name) {
    return name.ends_with("out_layers.3.weight") || name.ends_with("out_layers.3.bias") || name.ends_with(".proj_out.weight") || name.ends_with(".proj_out.bias") ||
           name == "out.2.weight" || name == "out.2.bias";
}

class WholeNetwork final : public Movement {
public:
    WholeNetwork(UnetConfig config, ModelInfo info, gpu::Weights start, std::uint64_t seed)
        : config_(std::move(config)), info_(std::move(info)), start_(std::move(start)), seed_(seed) {}

    const UnetConfig& config() const override { return config_; }
    const ModelInfo& info() const override { return info_; }
    std::vector<Parameter> parameters() const override {
        if (!start_.empty()) return parameters_of(start_);
        std::vector<Parameter> all = drawn_parameters(seed_, [&](const Scope& s) { UnetNetwork(s, config_); });
        for (Parameter& parameter : all)
            if (starts_at_zero(parameter.name)) parameter.value = gpu::zeros(parameter.value.shape());
        return all;
    }
    Scope network(const NamedTensors& parameters) const override { return Scope::tensors(parameters); }
    std::vector<Value> result(const NamedTensors& parameters) const override {
        return {Value::of<Model>(Model(make_unet(weights_of(parameters), config_, info_)))};
    }
    std::string summary() const override { return gpu::format("UNet, {} levels from {} channels", config_.levels.size(), config_.base_channels()); }

private:
    UnetConfig config_;
    ModelInfo info_;
    gpu::Weights start_;
    std::uint64_t seed_;
};

// A base whose weights stay, with what changes beside or in place of some of them.
class OnBase : public Movement {
public:
    explicit OnBase(const Model& base) : base_(base) {
        const auto* unet = dynamic_cast<const Unet*>(&base.base());
        check(unet != nullptr, ErrorCode::InvalidGraph, "train: expected a UNet, got {}", base.base().summary());
        config_ = unet->config();
        NamedTensors leaves;
        for (const auto& [name, weight] : unet->weights()) leaves.emplace(name, gpu::to_leaf(weight));
        const Patches bound = bound_patches(base.patches(), *unet);
        weights_ = merged_weights(unet->weights(), leaves, bound);
        branches_ = patch_branches(unet->weights(), bound);
    }
    const UnetConfig& config() const override { return config_; }
    const ModelInfo& info() const override { return base_.info(); }

protected:
    // The layer of a weight as diffusers calls it, "unet.down_blocks.0...": what files of adapters have.
    std::string published(const std::string& layer) const {
        const std::string name = unet_diffusers_name(layer, config_);
        return "unet." + (name.empty() ? layer : name);
    }
    std::vector<Value> adapted(LoraFile file) const {
        const auto kept = std::make_shared<const LoraFile>(std::move(file));
        const LoraNames names = LoraNames::unet(base_.base().weights(), UnetLayout(config_));
        const AppliedLora applied = apply_lora(kept, &names, {}, {}, base_.info().family);
        check(applied.unet && applied.unused.empty(), ErrorCode::InvalidGraph, "train: expected every trained layer to have a place in the network, got {} without",
              applied.unused.size());
        return {Value::of<Model>(base_.with(applied.unet)), Value::of<PatchRef>(applied.unet)};
    }

    Model base_;
    UnetConfig config_;
    NamedTensors weights_;
    gpu::Branches branches_;
};

class LowRank final : public OnBase {
public:
    LowRank(const Model& base, const LowRankOptions& options) : OnBase(base), options_(options) {
        check(options.rank > 0, ErrorCode::InvalidGraph, "train LoRA: expected a rank of at least 1, got {}", options.rank);
        for (const auto& [name, value] : weights_)
            if (name.ends_with(".weight") && (value.rank() == 2 || value.rank() == 4) && wanted(name)) layers_.push_back(name.substr(0, name.size() - 7));
        check(!layers_.empty(), ErrorCode::InvalidGraph, "train LoRA: expected layers of the chosen kind, got none");
    }

    // At the start up is 0 and the network as it was; down is drawn as a layer's weight is.
    std::vector<Parameter> parameters() const override {
        std::vector<Parameter> all;
        const Scope drawn = Scope::random(options_.seed);
        for (const std::string& layer : layers_) {
            gpu::Shape down = weights_.at(layer + ".weight").shape();
            const gpu::Shape up{down[0], options_.rank};
            const double bound = 1 / std::sqrt(static_cast<double>(gpu::element_count(down) / down[0]));
            down[0] = options_.rank;
            all.push_back({layer + ".down", drawn.weight(layer + ".down", down, {.bound = bound}), {}});
            all.push_back({layer + ".up", gpu::zeros(up), {}});
        }
        return all;
    }
    Scope network(const NamedTensors& parameters) const override {
        gpu::Branches branches = branches_;
        for (const std::string& layer : layers_)
            branches[layer + ".weight"].push_back({parameters.at(layer + ".down"), parameters.at(layer + ".up") * (options_.alpha / options_.rank)});
        return Scope::tensors(weights_, std::move(branches));
    }
    std::vector<Value> result(const NamedTensors& parameters) const override {
        LoraFile file{.path = {}, .title = "trained"};
        for (const std::string& layer : layers_) {
            LoraModule module{.name = published(layer)};
            const Tensor &down = parameters.at(layer + ".down"), &up = parameters.at(layer + ".up");
            gpu::Shape shape = up.shape();
            shape.insert(shape.end(), down.shape().size() - 2, 1);      // of a convolution: 1 x 1
            module.parts = {{"down", weight_of("down", down)}, {"up", weight_of("up", gpu::reshape(up, shape))},
                            {"alpha", weight_of("alpha", gpu::tensor({static_cast<float>(options_.alpha)}))}};
            file.modules.push_back(std::move(module));
        }
        return adapted(std::move(file));
    }
    std::string summary() const override { return gpu::format("LoRA of rank {}, alpha {}, {} layers", options_.rank, options_.alpha, layers_.size()); }

private:
    bool wanted(std::string_view name) const {
        if (options_.layers == LowRankLayers::All) return true;
        const auto has = [&](std::string_view part) { return name.find(part) != name.npos; };
        if (has(".attn1.to_") || has(".attn2.to_")) return true;
        return options_.layers == LowRankLayers::Transformers && (has(".ff.net.") || (has(".1.proj_") || has("middle_block.1.proj_")));
    }

    LowRankOptions options_;
    std::vector<std::string> layers_;
};

class KeysAndValues final : public OnBase {
public:
    explicit KeysAndValues(const Model& base) : OnBase(base) {
        for (const auto& [name, value] : weights_)
            if (name.ends_with(".attn2.to_k.weight") || name.ends_with(".attn2.to_v.weight")) names_.push_back(name);
        check(!names_.empty(), ErrorCode::InvalidGraph, "train Custom Diffusion: expected a network with cross-attention, got one without");
    }
    std::vector<Parameter> parameters() const override {
        std::vector<Parameter> all;
        for (const std::string& name : names_) all.push_back({name, gpu::tensor(gpu::to_floats(weights_.at(name)), weights_.at(name).shape()), {}});
        return all;
    }
    Scope network(const NamedTensors& parameters) const override {
        NamedTensors all = weights_;
        for (const std::string& name : names_) all.insert_or_assign(name, parameters.at(name));
        return Scope::tensors(std::move(all), branches_);
    }
    std::vector<Value> result(const NamedTensors& parameters) const override {
        LoraFile file{.path = {}, .title = "trained"};
        for (const std::string& name : names_)
            file.modules.push_back({.name = published(name.substr(0, name.size() - 7)), .parts = {{"set", weight_of("set", parameters.at(name))}}});
        return adapted(std::move(file));
    }
    std::string summary() const override { return gpu::format("keys and values of cross-attention, {} layers", names_.size()); }

private:
    std::vector<std::string> names_;
};

class Nothing final : public OnBase {
public:
    explicit Nothing(const Model& base) : OnBase(base) {}
    std::vector<Parameter> parameters() const override { return {}; }
    Scope network(const NamedTensors&) const override { return Scope::tensors(weights_, branches_); }
    std::vector<Value> result(const NamedTensors&) const override { return {}; }
    std::string summary() const override { return "a word"; }
};

}  // namespace

MovementRef whole_network(const UnetConfig& config, const ModelInfo& info, gpu::Weights start, std::uint64_t seed) {
    return std::make_shared<const WholeNetwork>(config, info, std::move(start), seed);
}

MovementRef low_rank(const Model& base, const LowRankOptions& options) { return std::make_shared<const LowRank>(base, options); }

MovementRef cross_attention(const Model& base) { return std::make_shared<const KeysAndValues>(base); }

MovementRef nothing_moves(const Model& base) { return std::make_shared<const Nothing>(base); }

}  // namespace nodes
