#include <filesystem>

#include "gpu/io/atomic_file.h"
#include "gpu/io/checkpoint.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/models/source/save.h"
#include "nodes/types/encoder.h"
#include "nodes/types/vision.h"

namespace nodes {
namespace {

struct ClipSave final : Node {
    ClipSave() : Node({.id = "clip.save", .version = 1, .title = "Save CLIP", .category = "Output",
                       .help = "Writes a text encoder, an image encoder or both as one file with the names of Hugging Face's CLIPModel, and the tokenizer's merges.txt beside it where "
                               "there is none.",
                       .side_effect = true}) {}

    In<Encoder>      encoder{this, "encoder", "With one text tower, without patches", {.optional = true}};
    In<Vision>       vision {this, "vision", "The image encoder", {.optional = true}};
    Param<OutputPath> file  {this, "file", "Where to", {.filter = "Safetensors (*.safetensors)"}};
    Param<SavedType> type   {this, "precision", "keep: each tensor's own, F16 for quantised ones", {.initial = SavedType::Keep, .names = {"keep", "f32", "f16", "bf16"}}};

    void compute(Eval& ev) const override {
        std::vector<const gpu::Weight*> sources;
        std::vector<gpu::TensorEntry> entries;
        const auto add = [&](const gpu::Weights& weights) {
            for (const auto& [name, weight] : weights) {
                gpu::TensorEntry entry = weight.entry;
                entry.name = name;
                if (ev[type] != SavedType::Keep || entry.blocks) {
                    entry.dtype = ev[type] == SavedType::F32 ? gpu::Dtype::F32 : ev[type] == SavedType::BF16 ? gpu::Dtype::BF16 : gpu::Dtype::F16;
                    entry.blocks.reset();
                    entry.bytes = {};
                    entry.unverified = nullptr;
                } else {
                    entry.bytes = gpu::used_bytes(entry);
                }
                entries.push_back(std::move(entry));
                sources.push_back(&weight);
            }
        };
        if (ev.has(encoder)) {
            if (ev[encoder].towers().size() != 1) ev.fail(encoder, "expected one text tower, got {}", ev[encoder].towers().size());
            if (!ev[encoder].patches(0).empty()) ev.warn("patches of the text encoder are not saved");
            add(ev[encoder].towers()[0].tower->weights());
        }
        if (ev.has(vision)) add(ev[vision]->weights());
        if (entries.empty()) ev.fail(encoder, "expected a text encoder, an image encoder or both, got none");
        gpu::save_safetensors(ev[file].path, entries, {{"format", "pt"}}, [&](std::size_t at) {
            ev.check_cancelled();
            std::vector<std::byte> bytes(static_cast<std::size_t>(gpu::element_count(entries[at].shape)) * gpu::size_of(entries[at].dtype));
            gpu::read(gpu::cast(gpu::to_leaf(*sources[at]), entries[at].dtype), bytes);
            return bytes;
        });
        ev.wrote(ev[file].path);
        const std::string beside = (std::filesystem::path(ev[file].path).parent_path() / "merges.txt").string();
        if (!ev.has(encoder) || std::filesystem::exists(beside)) return;
        gpu::AtomicFile merges(beside);
        merges.append(ev[encoder].towers()[0].tower->merges());
        merges.commit();
        ev.wrote(beside);
    }
};

}  // namespace

REGISTER_NODE(clip_save, ClipSave)

}  // namespace nodes
