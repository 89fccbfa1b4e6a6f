// What the nodes of the LoRA family share.
#pragma once

#include "gpu/base/error.h"
#include "nodes/core/node.h"
#include "nodes/models/detect/detect.h"
#include "nodes/models/lora/patch.h"

namespace nodes {

inline constexpr const char* lora_filter = "Adapters (*.safetensors *.pt *.bin *.ckpt *.pth);;All files (*)";
inline constexpr const char* lora_blocks_help =
    "Strength of each block, times the others: 17 or 26 numbers (SD 1), 12 or 20 (SDXL) as in block weight extensions, or names such as "
    "\"in=0.5 mid=1 out3-8=0.2 base=0\"; empty: 1 everywhere";

enum class LoraMode { Merged, Live };

// Opens the file; another kind of file says what it is.
inline std::shared_ptr<const LoraFile> open_lora(const std::string& path, const std::string& family) {
    const gpu::Checkpoint file = gpu::open_checkpoint(path);
    if (!is_lora(file)) expect_kind(file, {FileKind::Lora}, "a LoRA for " + family_title(family), false);
    return std::make_shared<const LoraFile>(read_lora(file));
}

// Names every key that found no place.
inline void warn_unused(Eval& ev, const LoraFile& file, const std::vector<std::string>& unused) {
    constexpr std::size_t shown = 12;
    if (unused.empty()) return;
    std::string names;
    for (std::size_t i = 0; i < std::min(shown, unused.size()); ++i) names += (i ? ", " : "") + unused[i];
    ev.warn("{}: no layer for {} of its keys: {}{}", file.title, unused.size(), names, unused.size() > shown ? " ..." : "");
}

}  // namespace nodes
