#include "nodes/types/tensor.h"

#include "gpu/run/evaluate.h"
#include "nodes/types/image.h"
#include "nodes/types/latent.h"
#include "nodes/types/mask.h"

namespace nodes {

std::size_t tensor_bytes(const Tensor& tensor) {
    return static_cast<std::size_t>(tensor.element_count()) * gpu::size_of(tensor.dtype());
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
                        conversion<Latent, Tensor>([](const Latent& latent) { return latent.tensor; })}};
}

}  // namespace nodes
