// Names of the weights of CLIP's towers. Inside there is one naming, that of Hugging Face's files
// ("text_model.encoder.layers.0.self_attn.q_proj.weight", "text_projection.weight"). Files have it below a prefix, sometimes without
// the level "text_model."; or OpenCLIP's, which is OpenAI's ("transformer.resblocks.0.attn.in_proj_weight": queries, keys and values
// in one tensor; "text_projection" the other way round).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/nn/scope.h"

namespace nodes {

enum class ClipLayout { Transformers, OpenClip };

// A tower among the tensors of files.
struct ClipPlace {
    std::string prefix;         // "cond_stage_model.transformer.", "conditioner.embedders.1.model.", "text_encoder.", ""
    ClipLayout layout = ClipLayout::Transformers;
    bool short_names = false;   // "embeddings.token_embedding.weight", without "text_model."
    int width = 0;
};

// All text towers, and all vision towers, in order of their prefixes. Moving averages ("model_ema.") do not count.
std::vector<ClipPlace> find_clip_text(std::span<const gpu::Checkpoint> files);
std::vector<ClipPlace> find_clip_vision(std::span<const gpu::Checkpoint> files);

// The tower whose place begins with `prefix` ("cond_stage_model.", "conditioner.embedders.1."), under Hugging Face's names. Fused
// projections are split into views of the file's bytes; projections of OpenCLIP are turned in memory. Other tensors are left
// out; those inside the tower that have no counterpart keep their names, so that Scope::finish() names them.
// Throws BadFile where there is none, or where several fit.
void add_clip_text_weights(gpu::Weights& into, std::span<const gpu::Checkpoint> files, std::string_view prefix = {});
void add_clip_text_weights(gpu::Weights& into, const gpu::Checkpoint& file, std::string_view prefix = {});
void add_clip_vision_weights(gpu::Weights& into, std::span<const gpu::Checkpoint> files, std::string_view prefix = {});
void add_clip_vision_weights(gpu::Weights& into, const gpu::Checkpoint& file, std::string_view prefix = {});

// The way back, for saving: a text tower's weights under the names that files of this layout have, each behind `prefix`
// ("cond_stage_model.transformer.", "conditioner.embedders.1.model."), entry.name included. OpenCLIP's fused and turned tensors are made
// in memory; where the parts are of different types, F32. Throws BadFile for quantised parts that can not be joined.
gpu::Weights clip_text_file_weights(const gpu::Weights& weights, ClipLayout layout, std::string_view prefix);

}  // namespace nodes
