#include "gpu/io/checkpoint.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/models/vae/kl.h"
#include "nodes/models/vae/vq.h"

namespace nodes {
namespace {

enum class Stored { Same, F32, F16, Bf16 };

struct VaeSave final : Node {
    VaeSave() : Node({.id = "vae.save", .version = 1, .title = "Save Autoencoder", .category = "Output",
                      .help = "Writes the weights of a KL or VQ autoencoder as safetensors, in the layout that other tools expect.", .side_effect = true}) {}

    In<Vae>            vae   {this, "vae", "The autoencoder"};
    Param<OutputPath>  file  {this, "file", "Where to", {.filter = "Safetensors (*.safetensors)"}};
    Param<VaeLayout>   layout{this, "layout", "ldm's names, of single files, or diffusers', of model folders", {.initial = VaeLayout::Ldm, .names = {"ldm", "diffusers"}}};
    Param<std::string> prefix{this, "prefix", "What stands before every name: \"first_stage_model.\" in whole checkpoints, nothing in a file of its own",
                              {.initial = ""}};
    Param<Stored>      type  {this, "type", "How numbers are stored: as the autoencoder's file has them, or converted",
                              {.initial = Stored::Same, .names = {"same", "f32", "f16", "bf16"}}};

    void compute(Eval& ev) const override {
        const gpu::Weights* weights = nullptr;
        if (const auto* kl = dynamic_cast<const KlAutoencoder*>(ev[vae].model.get())) weights = &kl->weights();
        if (const auto* vq = dynamic_cast<const VqAutoencoder*>(ev[vae].model.get())) weights = &vq->weights();
        if (!weights || weights->empty()) ev.fail(vae, "expected a KL or VQ autoencoder of a file, got {}", ev[vae]->summary());
        std::vector<gpu::TensorEntry> entries = vae_entries(*weights, ev[layout], ev[prefix]);
        std::vector<const gpu::Weight*> sources;      // in the same order
        for (const auto& [name, weight] : *weights) sources.push_back(&weight);
        const Stored stored = ev[type];
        for (gpu::TensorEntry& entry : entries) {
            const bool unpack = entry.blocks.has_value();
            if (stored == Stored::Same && !unpack) {
                entry.bytes = gpu::used_bytes(entry);
                continue;
            }
            // Blocks have no place in this container: what they stand for, in 16 bits.
            entry.dtype = stored == Stored::F32 ? gpu::Dtype::F32 : stored == Stored::Bf16 ? gpu::Dtype::BF16 : gpu::Dtype::F16;
            entry.blocks.reset();
            entry.bytes = {};
            entry.unverified = nullptr;
        }
        gpu::save_safetensors(ev[file].path, entries, {{"format", "pt"}}, [&](std::size_t at) {
            ev.check_cancelled();
            std::vector<std::byte> bytes(static_cast<std::size_t>(gpu::element_count(entries[at].shape)) * gpu::size_of(entries[at].dtype));
            gpu::read(gpu::cast(gpu::to_leaf(*sources[at]), entries[at].dtype), bytes);
            return bytes;
        });
        ev.wrote(ev[file].path);
    }
};

}  // namespace

REGISTER_NODE(vae_save, VaeSave)

}  // namespace nodes
