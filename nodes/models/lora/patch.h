// A file of the LoRA family as patches of a model and of its text towers.
#pragma once

#include <memory>

#include "nodes/models/lora/blocks.h"
#include "nodes/models/lora/resolve.h"
#include "nodes/types/model.h"

namespace nodes {

struct LoraStrength {
    double model = 1, text = 1;
    BlockStrengths blocks{};
    // Low rank changes stay branches beside their layers: y = W x + s up (down x). Nothing is merged, and strengths change without a
    // pass over the weights; a step computes a little more. Other forms are merged all the same.
    bool live = false;
};

// Changes of one network's weights.
class LoraPatch final : public WeightPatch {
public:
    struct Change {
        std::shared_ptr<const LoraFile> file;      // keeps the module
        const LoraModule* module = nullptr;
        LoraSlice slice{};
        double strength = 1;
        bool bias = false;
        bool branch = false;
    };
    using Changes = std::map<std::string, std::vector<Change>, std::less<>>;      // by the weight's name
    LoraPatch(std::string title, Changes changes) : title_(std::move(title)), changes_(std::move(changes)) {}

    std::string summary() const override;
    bool touches(const std::string& name) const override;
    Tensor apply(const std::string& name, const Tensor& weight) const override;
    std::vector<gpu::Branch> branches(const std::string& name, const gpu::Shape& shape) const override;
    const Changes& changes() const { return changes_; }

private:
    std::string title_;
    Changes changes_;
};

// What a file does to the networks that are there.
struct AppliedLora {
    std::shared_ptr<const LoraPatch> unet;                       // null: nothing for it
    std::vector<std::shared_ptr<const LoraPatch>> text;          // one for each tower that was given
    std::size_t used = 0;                                        // modules
    std::vector<std::string> unused;                             // names of modules and keys that found no place, one text each
};

// `unet` null, `towers` empty: not there, their modules are passed over without a word where `title_of_base` is of the same family.
// Throws BadFile where the file is for another family: what it is and what was expected.
AppliedLora apply_lora(const std::shared_ptr<const LoraFile>& file, const LoraNames* unet, const std::vector<const LoraNames*>& towers,
                       const LoraStrength& strength, const std::string& base_family);

// "sd1" -> "SD 1".
std::string family_title(const std::string& family);

}  // namespace nodes
