#include "gpu/io/checkpoint.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/types/tensor.h"

namespace nodes {
namespace {

struct TensorSave final : Node {
    TensorSave() : Node({.id = "tensor.save", .version = 1, .title = "Save Tensor", .category = "Output",
                         .help = "Writes a tensor to a safetensors file. Images, masks and latents are tensors too.",
                         .side_effect = true}) {}

    In<Tensor>         tensor{this, "tensor", "The numbers to write, row-major, in their own element type"};
    Param<OutputPath>  file  {this, "file", "Where to", {.filter = "Safetensors (*.safetensors)"}};
    Param<std::string> name  {this, "name", "The tensor's name in the file", {.initial = "tensor", .required = true}};

    void compute(Eval& ev) const override {
        const Tensor& source = ev[tensor];
        std::vector<std::byte> bytes(tensor_bytes(source));
        gpu::read(source, bytes);
        const gpu::TensorEntry entry{ev[name], source.dtype(), source.shape(), bytes};
        gpu::save_safetensors(ev[file].path, std::span(&entry, 1), {{"heddle", ev.document_json()}});
        ev.wrote(ev[file].path);
    }
};

}  // namespace

REGISTER_NODE(tensor_save, TensorSave)

}  // namespace nodes
