#include "nodes/types/mask.h"

#include "gpu/base/error.h"
#include "gpu/run/evaluate.h"
#include "nodes/types/image.h"
#include "nodes/types/tensor.h"

namespace nodes {

Mask make_mask(Tensor tensor) {
    const gpu::Shape& s = tensor.shape();
    gpu::check(tensor.dtype() == gpu::Dtype::F32 && s.size() == 4 && s[1] == 1 && tensor.element_count() > 0,
               gpu::ErrorCode::InvalidGraph, "mask: expected F32 [N, 1, H, W] with pixels, got {}",
               gpu::to_string(tensor.spec()));
    return {std::move(tensor)};
}

Mask evaluated(Mask mask) {
    gpu::evaluate({mask.tensor});
    return mask;
}

SocketType SocketTraits<Mask>::describe() {
    return {.title = "Mask", .colour = "#9aa0a6", .help = "White is chosen, black is not",
            .bytes = erased<Mask>([](const Mask& mask) { return tensor_bytes(mask.tensor); }),
            .summary = erased<Mask>([](const Mask& mask) {
                const std::string batch = mask.batch() == 1 ? "" : gpu::format("{} x ", mask.batch());
                return gpu::format("{}{} x {}", batch, mask.width(), mask.height());
            }),
            .preview = erased<Mask>([](const Mask& mask, int max_side) {
                return to_qimage({mask.tensor, ColorSpace::Raw}, max_side);
            }),
            .hash = erased<Mask>([](const Mask& mask) { return content_hash(mask.tensor); }),
            .collect = collect_tensors<Mask>,
            .store = erased<Mask>([](const Mask& mask) { return std::optional(StoredValue{{}, {{"tensor", mask.tensor}}}); }),
            .restore = [](const StoredValue& stored) { return Value::of<Mask>(make_mask(stored_tensor(stored, "tensor"))); }};
}

}  // namespace nodes
