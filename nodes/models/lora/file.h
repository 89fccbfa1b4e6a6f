// Files of the LoRA family (arXiv:2106.09685) and its relatives: LoCon, LoHa, LoKr (arXiv:2309.14859), DoRA (arXiv:2402.09353), full
// differences, replaced weights, and the deltas of Custom Diffusion (arXiv:2212.04488). A file is a list of modules, each named as
// the file's author spells the layer that it changes; resolve.h finds the layer.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gpu/nn/scope.h"

namespace nodes {

// What changes one layer. Parts by their role, whatever the form spells them:
//   up, down, mid, alpha                      low rank (mid: the core of a Tucker decomposition)
//   hada_w1_a, _b, hada_w2_a, _b, hada_t1, t2 LoHa
//   lokr_w1(_a, _b), lokr_w2(_a, _b), lokr_t2 LoKr
//   diff, diff_b, w_norm, b_norm              added to weight and bias
//   set, set_b                                take their place
//   dora                                      the magnitude that the changed weight is brought to
struct LoraModule {
    std::string name;                             // "lora_unet_down_blocks_0_attentions_0_proj_in", "unet:12"
    std::map<std::string, gpu::Weight> parts;
    double scale = 1;                             // where the file tells it without a tensor alpha (PEFT)

    bool has(const std::string& part) const { return parts.contains(part); }
    bool changes_weight() const;
    bool changes_bias() const { return has("diff_b") || has("b_norm") || has("set_b"); }
    // Rows and columns of the matrix that is added to the weight, or put in its place. Throws BadFile where parts are missing or do
    // not fit one another.
    std::pair<std::int64_t, std::int64_t> matrix_shape() const;
    std::string form() const;                     // "LoRA", "LoCon", "LoHa", "LoKr", "DoRA", "difference"
    // Of the low rank forms, 0 for others.
    std::int64_t rank() const;
};

struct LoraFile {
    std::string path, title;                      // title: the file's stem
    std::vector<LoraModule> modules;
    std::map<std::string, gpu::Weight> embeddings;      // textual inversions that came along, by token: [width] or [n, width]
    std::vector<std::string> unknown;             // keys that no form has
    // The classes whose layers a file of cloneofsimo's tool counts, by "unet" or "text_encoder"; empty for other files.
    std::map<std::string, std::vector<std::string>> counted;
};

// Whether a file's names are those of this family; cheap.
bool is_lora(const gpu::Checkpoint& file);
// Throws BadFile where no key is of the family.
LoraFile read_lora(const gpu::Checkpoint& file);
// "SD 1", "SDXL", ... as far as widths and names tell, else "".
std::string lora_family(const LoraFile& file);

}  // namespace nodes
