#include "nodes/types/tensor.h"

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/types/bev_map.h"
#include "nodes/types/image.h"
#include "nodes/types/latent.h"
#include "nodes/types/mask.h"

namespace nodes {

std::size_t tensor_bytes(const Tensor& tensor) {
    return static_cast<std::size_t>(tensor.element_count()) * gpu::size_of(tensor.dtype());
}

Tensor collected(const gpu::Tensors& parts, std::string_view what) {
    for (const Tensor& part : parts) {
        gpu::Shape wanted = parts[0].shape();
        if (!wanted.empty() && part.rank() == parts[0].rank()) wanted[0] = part.size(0);
        gpu::check(!wanted.empty() && part.shape() == wanted && part.dtype() == parts[0].dtype(), gpu::ErrorCode::InvalidGraph,
                   "collect {}: expected {} but for the first axis, got {}", what, gpu::to_string(parts[0].spec()), gpu::to_string(part.spec()));
    }
    return gpu::concat(parts, 0);
}

Tensor stored_tensor(const StoredValue& stored, const std::string& name) {
    const auto at = stored.tensors.find(name);
    gpu::check(at != stored.tensors.end(), gpu::ErrorCode::BadFile, "stored value: expected a tensor {}, got none of that name", name);
    return at->second;
}

gpu::Hash content_hash(const Tensor& tensor) {
    std::vector<std::byte> bytes(tensor_bytes(tensor));
    gpu::read(tensor, bytes);
    return gpu::Hasher().add(gpu::to_string(tensor.spec())).add(gpu::hash_bytes(bytes)).finish();
}

SocketType SocketTraits<Tensor>::describe() {
    return {.title = "Tensor", .colour = "#7f8c9b", .help = "Numbers of any shape",
            .bytes = erased<Tensor>(tensor_bytes),
            .summary = erased<Tensor>([](const Tensor& tensor) { return gpu::to_string(tensor.spec()); }),
            .hash = erased<Tensor>(content_hash),
            .accepts = {conversion<Image, Tensor>([](const Image& image) { return image.tensor; }),
                        conversion<Mask, Tensor>([](const Mask& mask) { return mask.tensor; }),
                        conversion<Latent, Tensor>([](const Latent& latent) { return latent.tensor; }),
                        conversion<BevMap, Tensor>([](const BevMap& map) { return map.tensor; })},
            .collect = [](const std::vector<Value>& values) {
                gpu::Tensors parts;
                for (const Value& value : values) parts.push_back(*value.get<Tensor>());
                const Tensor all = collected(parts, "tensor");
                gpu::evaluate({all});
                return Value::of<Tensor>(all);
            },
            .store = erased<Tensor>([](const Tensor& tensor) { return std::optional(StoredValue{{}, {{"tensor", tensor}}}); }),
            .restore = [](const StoredValue& stored) { return Value::of<Tensor>(stored_tensor(stored, "tensor")); }};
}

}  // namespace nodes
