#include "gpu/io/checkpoint.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/node.h"
#include "nodes/types/tensor.h"

namespace nodes {
namespace {

struct TensorLoad final : Node {
    TensorLoad() : Node({.id = "tensor.load", .version = 1, .title = "Load Tensor", .category = "Load",
                         .help = "Reads one tensor of a safetensors, GGUF or PyTorch file."}) {}

    Param<FilePath>    file  {this, "file", "The file to read",
                              {.filter = "Tensors (*.safetensors *.gguf *.pt *.pth *.bin *.ckpt);;All files (*)"}};
    Param<std::string> name  {this, "name", "Which tensor; empty where the file holds just one"};
    Out<Tensor>        tensor{this, "tensor", "Its numbers, in the file's element type; quantised ones as F32"};

    void compute(Eval& ev) const override {
        const gpu::Checkpoint checkpoint = gpu::open_checkpoint(ev[file].path);
        const gpu::TensorEntry& entry = chosen(ev, checkpoint);
        // Copied: the value may outlive the file's next change.
        const auto used = gpu::used_bytes(entry);
        const auto bytes = std::make_shared<std::vector<std::byte>>(used.begin(), used.end());
        if (entry.blocks) {
            const gpu::Tensor blocks = gpu::leaf({{static_cast<std::int64_t>(bytes->size())}, gpu::Dtype::U8}, *bytes, bytes);
            ev.set(tensor, gpu::dequantize(blocks, *entry.blocks, entry.shape));
        } else {
            ev.set(tensor, gpu::leaf({entry.shape, entry.dtype}, *bytes, bytes));
        }
    }

    const gpu::TensorEntry& chosen(Eval& ev, const gpu::Checkpoint& checkpoint) const {
        const std::string wanted = ev[name];
        if (wanted.empty()) {
            if (checkpoint.entries().size() != 1)
                ev.fail(name, "expected a name, for {} holds {} tensors", ev[file].path, checkpoint.entries().size());
            return checkpoint.entries()[0];
        }
        const gpu::TensorEntry* entry = checkpoint.find(wanted);
        if (!entry) ev.fail(name, gpu::ErrorCode::BadFile, "expected a tensor {} in {}, got none of that name", wanted, ev[file].path);
        return *entry;
    }
};

}  // namespace

REGISTER_NODE(tensor_load, TensorLoad)

}  // namespace nodes
