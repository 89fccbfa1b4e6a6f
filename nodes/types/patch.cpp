#include "nodes/types/patch.h"

#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "nodes/types/conditioning.h"
#include "nodes/types/trained.h"

namespace nodes {

std::vector<Conditioning> StepPatch::conditionings(const Conditioning&, const Conditioning*) const { return {}; }

Tensor for_call(const Tensor& whole, const DenoiserInput& call, const std::string& what, std::int64_t factor) {
    const std::int64_t pictures = whole.size(0), batch = call.batch();
    gpu::check(pictures == 1 || batch % pictures == 0, gpu::ErrorCode::InvalidGraph, "{}: expected 1 picture or as many as latents, {}, got {}", what, batch, pictures);
    const std::int64_t height = (call.latent.size(2) + factor - 1) / factor, width = (call.latent.size(3) + factor - 1) / factor;
    const auto part = [&](const Tensor& picture, const Region& region) {
        const std::int64_t top = std::min(region.top / factor, picture.size(2) - height), left = std::min(region.left / factor, picture.size(3) - width);
        gpu::check(top >= 0 && left >= 0, gpu::ErrorCode::InvalidGraph, "{}: expected {} x {} cells or more, got {} x {}", what, height, width, picture.size(2), picture.size(3));
        return gpu::slice(gpu::slice(picture, 2, top, top + height), 3, left, left + width);
    };
    const bool alike = std::all_of(call.regions.begin(), call.regions.end(), [&](const Region& region) { return region == call.regions.front(); });
    if (alike) {
        const Tensor shown = call.regions.empty() ? whole : part(whole, call.regions.front());
        return pictures == 1 || pictures == batch ? shown : gpu::repeat(shown, {batch / pictures, 1, 1, 1});
    }
    gpu::Tensors rows;
    for (std::int64_t row = 0; row < batch; ++row)
        rows.push_back(part(gpu::slice(whole, 0, row % pictures, row % pictures + 1), call.regions[static_cast<std::size_t>(row)]));
    return gpu::concat(rows, 0);
}

Patches bound_patches(const Patches& patches, const DiffusionModel& base) {
    Patches bound;
    for (const PatchRef& patch : patches) {
        PatchRef own = patch->bound(base);
        bound.push_back(own ? std::move(own) : patch);
    }
    return bound;
}

SocketType SocketTraits<PatchRef>::describe() {
    return {.title = "Patch", .colour = "#8f6fc0", .help = "A method that changes a model: an adapter, a control, a guidance",
            .bytes = erased<PatchRef>([](const PatchRef& patch) { return patch->bytes(); }),
            .summary = erased<PatchRef>([](const PatchRef& patch) { return patch->summary(); }),
            .accepts = {from_trained<PatchRef>()}};
}

}  // namespace nodes
