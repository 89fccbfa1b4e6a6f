// model: a diffusion network with the patches that change it. In<Model>, Out<Model>.
//
//     Model patched = ev[model].with(patch);                  // costs nothing
//     const auto denoiser = patched.denoiser();               // builds the network once, for all copies of this Model
//     const Tensor output = (*denoiser)({.latent = x, .timestep = t, .context = c});
#pragma once

#include <memory>
#include <string>

#include "gpu/nn/scope.h"
#include "nodes/core/socket_type.h"
#include "nodes/sampling/noise_table.h"
#include "nodes/sampling/prediction.h"
#include "nodes/types/activations.h"
#include "nodes/types/latent.h"
#include "nodes/types/patch.h"

namespace nodes {

// What a base network wants and gives. A node may override what a file can not tell (the prediction type).
struct ModelInfo {
    std::string family;             // "sd1", "sd2", "sdxl", "sdxl-refiner", "pico"
    PredictionType prediction = PredictionType::Epsilon;
    NoiseTableOptions noise{};
    LatentFormat latent{};
    int in_channels = 4;            // latent.channels, and what input patches must add
    int context_width = 768;
    int pooled_width = 0;           // 0: reads no pooled text
    int size_ids = 0;               // numbers of the size micro-conditioning: 6, 5 (refiner), 0
    int guidance_width = 0;         // of an embedded guidance (LCM), 0: none
    Activations activations = Activations::F32;      // what its denoiser computes with; Auto: the calling thread's device decides
};

// A network that is ready to be called: weights with their patches merged, and all other patches hooked in. Immutable.
class Denoiser {
public:
    virtual ~Denoiser() = default;
    // F32 [B, latent channels, h, w]: the raw output, of the model's prediction type. Lazy.
    virtual Tensor operator()(const DenoiserInput& input) const = 0;
};

// A base network's weights and what they mean. Implemented by each family in nodes/models. Immutable.
class DiffusionModel {
public:
    virtual ~DiffusionModel() = default;
    virtual const ModelInfo& info() const = 0;
    // The weights under the names that the modules use, which weight patches speak of. Mapped files: cheap.
    virtual const gpu::Weights& weights() const = 0;
    // Throws Error{InvalidGraph} for a patch that does not fit.
    virtual std::shared_ptr<const Denoiser> build(const Patches& patches) const = 0;
    virtual std::string summary() const = 0;            // "SD 1.5 UNet, 860M weights, f16"
    virtual std::size_t bytes() const { return 0; }     // of memory that it holds, mapped files not counted
};

class Model {
public:
    explicit Model(std::shared_ptr<const DiffusionModel> base, Patches patches = {});

    const DiffusionModel& base() const { return *base_; }
    const ModelInfo& info() const { return info_; }
    const Patches& patches() const { return patches_; }
    Model with(PatchRef patch) const;
    Model with(const Patches& more) const;
    // The same network, understood otherwise: prediction type, noise table, activations.
    Model with_info(ModelInfo info) const;
    Model with_activations(Activations activations) const;

    // Built at the first call (several threads wait for one), then shared by all copies of this handle, whatever their activations.
    std::shared_ptr<const Denoiser> denoiser() const;
    // The same with patches of one call more: what conditioning entries bring along. The last few are kept.
    std::shared_ptr<const Denoiser> denoiser(const Patches& more) const;

    std::string summary() const;
    std::size_t bytes() const;

private:
    struct Built;
    std::shared_ptr<const Denoiser> network(const Patches& more) const;

    std::shared_ptr<const DiffusionModel> base_;
    Patches patches_;
    ModelInfo info_;
    std::shared_ptr<Built> built_;
};

// A weight of the base with all weight patches of the list applied; `name` as base.weights() has it. Lazy.
Tensor patched_weight(const std::string& name, const Tensor& weight, const Patches& patches);
// What weight patches add beside the layers with these weights, for Scope::tensors().
gpu::Branches patch_branches(const gpu::Weights& weights, const Patches& patches);

template <>
struct SocketTraits<Model> {
    static constexpr const char* name = "model";
    static SocketType describe();
};

}  // namespace nodes
