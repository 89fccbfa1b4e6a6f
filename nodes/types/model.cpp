#include "nodes/types/model.h"

#include <list>
#include <mutex>

#include "gpu/base/error.h"
#include "gpu/base/format.h"
#include "gpu/graph/autocast.h"
#include "gpu/graph/kernel.h"
#include "gpu/ops.h"
#include "gpu/run/traits.h"
#include "gpu/vulkan/device.h"
#include "nodes/types/trained.h"

namespace nodes {

// Networks by the patches they were built with beside the model's own, most recently used first.
struct Model::Built {
    std::mutex mutex;
    std::list<std::pair<Patches, std::shared_ptr<const Denoiser>>> networks;
};

namespace {

constexpr std::size_t kept_networks = 4;

// A network that computes with 16 bits between its layers. Norms' statistics and sums are F32 (gpu/graph/autocast.h), and so is what comes out.
class NarrowDenoiser final : public Denoiser {
public:
    NarrowDenoiser(std::shared_ptr<const Denoiser> network, Activations wanted) : network_(std::move(network)), wanted_(wanted) {}

    Tensor operator()(const DenoiserInput& input) const override {
        const bool open = wanted_ == Activations::Auto;
        const gpu::Dtype type = activation_type(wanted_, true, open ? gpu::traits_of(gpu::Device::current().caps()) : gpu::DeviceTraits{});
        if (type == gpu::Dtype::F32) return (*network_)(input);
        const gpu::Autocast narrow(type);
        return gpu::cast((*network_)(input), gpu::Dtype::F32);
    }

private:
    std::shared_ptr<const Denoiser> network_;
    Activations wanted_;
};

}  // namespace

Model::Model(std::shared_ptr<const DiffusionModel> base, Patches patches)
    : base_(std::move(base)), patches_(std::move(patches)), info_(base_->info()), built_(std::make_shared<Built>()) {}

Model Model::with(PatchRef patch) const { return with(Patches{std::move(patch)}); }

Model Model::with(const Patches& more) const {
    Patches all = patches_;
    all.insert(all.end(), more.begin(), more.end());
    Model made(base_, std::move(all));
    made.info_ = info_;
    return made;
}

Model Model::with_info(ModelInfo info) const {
    Model made = *this;
    made.info_ = std::move(info);
    return made;
}

Model Model::with_activations(Activations activations) const {
    Model made = *this;
    made.info_.activations = activations;
    return made;
}

std::shared_ptr<const Denoiser> Model::denoiser() const { return denoiser({}); }

std::shared_ptr<const Denoiser> Model::denoiser(const Patches& more) const {
    const Activations wanted = info_.activations;
    if (wanted == Activations::F32 || (wanted == Activations::Auto && !stored_small(base_->weights()))) return network(more);
    return std::make_shared<const NarrowDenoiser>(network(more), wanted);
}

std::shared_ptr<const Denoiser> Model::network(const Patches& more) const {
    const std::lock_guard lock(built_->mutex);
    auto& networks = built_->networks;
    for (auto at = networks.begin(); at != networks.end(); ++at)
        if (at->first == more) {
            networks.splice(networks.begin(), networks, at);
            return networks.front().second;
        }
    Patches all = patches_;
    all.insert(all.end(), more.begin(), more.end());
    networks.emplace_front(more, base_->build(all));
    if (networks.size() > kept_networks) networks.pop_back();
    return networks.front().second;
}

std::string Model::summary() const {
    std::string text = base_->summary();
    for (const PatchRef& patch : patches_) text += "; " + patch->summary();
    if (info_.activations > Activations::F32) text += gpu::format("; activations {}", activation_names()[static_cast<std::size_t>(info_.activations)]);
    return text;
}

std::size_t Model::bytes() const {
    std::size_t bytes = base_->bytes();
    for (const PatchRef& patch : patches_) bytes += patch->bytes();
    return bytes;
}

Tensor patched_weight(const std::string& name, const Tensor& weight, const Patches& patches) {
    Tensor changed = weight;
    for (const WeightPatch* patch : of_kind<WeightPatch>(patches)) {
        if (!patch->touches(name)) continue;
        changed = patch->apply(name, changed);
        gpu::check(changed.shape() == weight.shape(), gpu::ErrorCode::InvalidGraph, "{}: expected {} for the weight {}, got {}",
                   patch->summary(), gpu::to_string(weight.shape()), name, gpu::to_string(changed.shape()));
    }
    return changed;
}

gpu::Branches patch_branches(const gpu::Weights& weights, const Patches& patches) {
    gpu::Branches all;
    for (const WeightPatch* patch : of_kind<WeightPatch>(patches))
        for (const auto& [name, weight] : weights)
            if (std::vector<gpu::Branch> added = patch->branches(name, weight.entry.shape); !added.empty()) {
                std::vector<gpu::Branch>& list = all[name];
                list.insert(list.end(), added.begin(), added.end());
            }
    return all;
}

SocketType SocketTraits<Model>::describe() {
    return {.title = "Model", .colour = "#4f81bd", .help = "A diffusion network with the patches that change it",
            .bytes = erased<Model>([](const Model& model) { return model.bytes(); }),
            .summary = erased<Model>([](const Model& model) { return model.summary(); }),
            .accepts = {from_trained<Model>()}};
}

}  // namespace nodes
