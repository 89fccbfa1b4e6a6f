// patch: one method of the literature as a change of a diffusion model. In<PatchRef>, Out<PatchRef>.
//
// A Model socket carries a base network and an ordered list of patches; a node makes a patch, whoever evaluates the model (a
// sampler, a trainer) hands all of them to the network, and they compose. Seven kinds cover the literature, one abstract class
// each below; a method that acts in several places is several patches, or one class that derives from several kinds.
//
// Everything a patch returns is lazy tensor graph: a step of the sampler is one expression, planned once, replayed with new
// numbers. A patch must therefore build the same expression at every step (numbers may change) unless its own arguments say
// that it acts on this step only, and then there is one plan more. Patches are immutable and used by several threads.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gpu/nn/scope.h"
#include "nodes/core/socket_type.h"
#include "nodes/sampling/prediction.h"
#include "nodes/types/tensor.h"

namespace nodes {

class DiffusionModel;

class Patch {
public:
    virtual ~Patch() = default;
    virtual std::string summary() const = 0;                 // "LoRA detail_tweaker at 0.8, 264 weights"
    virtual std::size_t bytes() const { return 0; }          // of memory that it holds, files that are mapped not counted
    // What acts in its place on this base, for a patch that is completed by the base's own weights (a ControlNet stored as a
    // difference); empty: the patch itself. Called once for each network that is built.
    virtual std::shared_ptr<const Patch> bound(const DiffusionModel&) const { return nullptr; }
};

// A cheap shared handle; never empty on a wire.
using PatchRef = std::shared_ptr<const Patch>;
using Patches = std::vector<PatchRef>;

// All patches as they act on this base.
Patches bound_patches(const Patches& patches, const DiffusionModel& base);

// --- what the network is called with ---

// Where the sampling loop stands. Outside of a loop: one step at its start.
struct StepInfo {
    int step = 0, steps = 1;        // of the sampler, counted from 0
    double progress = 0;            // (highest timestep - timestep) / highest timestep of the training schedule, 0 to 1
    NoiseLevel level{};
};

// The part of a picture that a row of a call shows, in cells of the whole latent.
struct Region {
    std::int64_t top = 0, left = 0;
    std::int64_t whole_height = 0, whole_width = 0;

    friend bool operator==(const Region&, const Region&) = default;
};

// One call for a batch of rows, each a picture with its conditioning. Shapes: B rows, C channels, h x w cells.
struct DenoiserInput {
    Tensor latent;                  // F32 [B, C, h, w], x_t in the variance-preserving form
    Tensor timestep;                // F32 [B], 0 to 999, may be fractional
    Tensor context;                 // F32 [B, L, D]
    Tensor pooled;                  // F32 [B, P], of models that read it, else empty
    Tensor size_ids;                // F32 [B, 6 or 5] (height, width, top, left, target height, target width), else empty
    Tensor guidance;                // F32 [B, G], the embedded guidance of models distilled with it, else empty
    StepInfo at{};
    std::vector<bool> negative;     // per row: whether it is the negative half of guidance; empty: none is
    std::vector<bool> blind;        // per row: whether it sees zeros for what input patches add; empty: none does
    std::vector<Region> regions;    // per row: the part of the picture that it shows, all of the latent's size; empty: the whole one

    std::int64_t batch() const { return latent.size(0); }
    std::int64_t whole_height() const { return regions.empty() ? latent.size(2) : regions.front().whole_height; }
    std::int64_t whole_width() const { return regions.empty() ? latent.size(3) : regions.front().whole_width; }
};

// What belongs to the pictures, `whole` [N, C, whole height / factor, whole width / factor] rounded up, as the call's rows show it:
// [1 or B, C, h / factor, w / factor]. Of several pictures each serves its own row, in every group of N rows again. Regions that do
// not begin at a multiple of `factor` are moved there. Throws Error{InvalidGraph} naming `what` for another number of pictures.
Tensor for_call(const Tensor& whole, const DenoiserInput& call, const std::string& what, std::int64_t factor = 1);

// --- the seven kinds ---

// weight: adds a delta to named weights. LoRA family, merging, Custom Diffusion, DreamBooth deltas.
class WeightPatch : public virtual Patch {
public:
    // Whether apply() changes this weight of the base, named as the base's modules name it.
    virtual bool touches(const std::string& name) const = 0;
    // The changed weight; of the same shape.
    virtual Tensor apply(const std::string& name, const Tensor& weight) const = 0;
    // What the layer with this weight (of this shape) adds beside it at every call, in place of a change of the weight.
    virtual std::vector<gpu::Branch> branches(const std::string& /*name*/, const gpu::Shape& /*shape*/) const { return {}; }
};

// token: adds or replaces rows of the conditioning sequence, after the text encoder. PhotoMaker, MagicDrive's cameras.
class TokenPatch : public virtual Patch {
public:
    virtual Tensor context(const DenoiserInput& input, const Tensor& context) const = 0;      // [B, L, D] -> [B, L', D]
};

// An attention layer of the network, by its name and its place.
struct AttentionSite {
    std::string name;               // "input_blocks.1.1.transformer_blocks.0.attn2"
    bool cross = false;             // attends to the context, else to the map itself
    int index = 0;                  // in diffusers' order: down blocks, up blocks, middle; self and cross both count
    int heads = 0;
    int width = 0;                  // channels
    std::int64_t rows = 0, columns = 0;      // of the map, rows * columns = T tokens
};

struct AttentionCall {
    Tensor x;                       // [B, T, C] the normalised tokens that queries were made of
    Tensor q;                       // [B, H, T, d]
    Tensor k, v;                    // [B, H, K, d]
    const DenoiserInput& input;
};

// attention: adds a source at chosen attention sites. IP-Adapter, cross-view attention, regional prompts.
class AttentionPatch : public virtual Patch {
public:
    // What keys and values are made of: the context [B, L, D] at cross sites, the normalised tokens [B, T, C] at others.
    virtual Tensor source(const AttentionSite&, const Tensor& source, const DenoiserInput&) const { return source; }
    // The heads' result [B, H, T, d] before the projection out.
    virtual Tensor result(const AttentionSite&, const AttentionCall&, const Tensor& result) const { return result; }
};

// What a side network adds: to features as they come out of an input block (T2I-Adapter; deeper blocks see it), to the skips
// that output blocks take over, and to the middle block's result (ControlNet). By number of the input block; absent: nothing.
struct Residuals {
    std::map<int, Tensor> features;
    std::map<int, Tensor> skips;
    Tensor middle;                  // empty: nothing
};

// residual: adds features to skips or the middle block. ControlNet, T2I-Adapter, BEV and road maps.
class ResidualPatch : public virtual Patch {
public:
    // `input` as the base network gets it before its input patches, which a ControlNet was trained without.
    virtual Residuals residuals(const DenoiserInput& input) const = 0;
};

// input: concatenates channels to the noisy latent. Inpainting, HumanSD, SVD, PixelDance.
class InputPatch : public virtual Patch {
public:
    virtual Tensor channels(const DenoiserInput& input) const = 0;      // [B or 1, C', h, w]
};

// A block of the network.
struct BlockSite {
    enum class Part { Input, Middle, Output };
    Part part = Part::Input;
    int index = 0;                  // input_blocks.N, output_blocks.N
    std::string name;               // "output_blocks.3.1": the layer that has just run, or the block before its join
    enum class Layer { Convolution, Residual, Transformer, Resample };
    Layer layer = Layer::Residual;  // of what has just run
    bool last = false;              // no ResBlock or transformer follows in this block: where motion modules stand
};

// block: inserts layers between existing ones, or changes features there. Motion modules, temporal layers, FreeU.
class BlockPatch : public virtual Patch {
public:
    // After a layer of a block (its ResBlock, its transformer): h [B, C, H, W] -> the same shape.
    virtual Tensor after(const BlockSite&, const Tensor& h, const DenoiserInput&) const { return h; }
    // Before an output block joins h and the skip that it takes over.
    virtual std::pair<Tensor, Tensor> join(const BlockSite&, const Tensor& h, const Tensor& skip, const DenoiserInput&) const {
        return {h, skip};
    }
};

class Denoiser;
struct Conditioning;

// What guidance works on at one call of the network. `outputs` are raw network outputs of the model's prediction type.
struct GuidanceInput {
    const StepInfo& at;
    PredictionType type = PredictionType::Epsilon;
    Tensor x;                       // x_t [B, C, h, w]
    double scale = 1;               // of classifier-free guidance
    Tensor positive, negative;      // [B, C, h, w]; negative is empty where the scale asks for none
    gpu::Tensors others;            // of conditionings(), in order
};

// What a step left behind.
struct StepEnd {
    const StepInfo& at;             // of the call that is over
    NoiseLevel next{};              // where x stands now
    bool last = false;
    Tensor denoised;                // the picture that the step predicted
};

// step: acts inside the sampling loop. Mask blending, guidance variants, delayed conditioning, FreeInit.
class StepPatch : public virtual Patch {
public:
    // Conditionings that must be predicted at every step beside positive and negative (null where the sampler has none); as many whatever
    // those are.
    virtual std::vector<Conditioning> conditionings(const Conditioning& positive, const Conditioning* negative) const;
    // Combines the predictions; nothing: leaves it to the next patch, and in the end to classifier-free guidance.
    virtual std::optional<Tensor> guide(const GuidanceInput&) const { return std::nullopt; }
    // Changes the combined prediction.
    virtual Tensor guided(const GuidanceInput&, const Tensor& output) const { return output; }
    // Changes x before the network sees it, and after the step.
    virtual Tensor before(const StepInfo&, const Tensor& x) const { return x; }
    virtual Tensor after(const StepEnd&, const Tensor& x) const { return x; }
    // Changes the mask of what this call of the network repaints, [N or 1, 1, h, w].
    virtual Tensor mask(const StepInfo&, const Tensor& mask) const { return mask; }
};

// The patches of one kind, in order.
template <typename Kind>
std::vector<const Kind*> of_kind(const Patches& patches) {
    std::vector<const Kind*> found;
    for (const PatchRef& patch : patches)
        if (const auto* kind = dynamic_cast<const Kind*>(patch.get())) found.push_back(kind);
    return found;
}

template <>
struct SocketTraits<PatchRef> {
    static constexpr const char* name = "patch";
    static SocketType describe();
};

}  // namespace nodes
