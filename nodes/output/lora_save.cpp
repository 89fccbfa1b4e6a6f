#include "nodes/core/node.h"
#include "nodes/models/lora/patch.h"
#include "nodes/models/lora/save.h"

namespace nodes {
namespace {

struct LoraSave final : Node {
    LoraSave() : Node({.id = "lora.save", .version = 1, .title = "Save LoRA", .category = "Output",
                       .help = "Writes a trained change of a model as a file that other tools read. Keys and values of Custom Diffusion are written as diffusers has them, whatever "
                               "the layout.",
                       .side_effect = true}) {}

    In<PatchRef>      patch {this, "patch", "What training made"};
    Param<OutputPath> file  {this, "file", "Where to", {.filter = "Safetensors (*.safetensors)"}};
    Param<LoraLayout> layout{this, "layout", "kohya: what most tools read; peft: diffusers' own", {.initial = LoraLayout::Kohya, .names = {"kohya", "peft"}}};
    Param<bool>       half  {this, "half", "In 16 bits", {.initial = true}};

    void compute(Eval& ev) const override {
        const auto* lora = dynamic_cast<const LoraPatch*>(ev[patch].get());
        if (!lora || lora->changes().empty()) ev.fail(patch, "expected a LoRA, got {}", ev[patch]->summary());
        const LoraFile& made = *lora->changes().begin()->second.front().file;
        save_lora(made, ev[file].path, ev[layout], ev[half], {{"heddle", ev.document_json()}, {"ss_network_module", "networks.lora"}});
        ev.wrote(ev[file].path);
    }
};

}  // namespace

REGISTER_NODE(lora_save, LoraSave)

}  // namespace nodes
