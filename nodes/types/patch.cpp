#include "nodes/types/patch.h"

#include "nodes/types/conditioning.h"

namespace nodes {

std::vector<Conditioning> StepPatch::conditionings() const { return {}; }

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
            .summary = erased<PatchRef>([](const PatchRef& patch) { return patch->summary(); })};
}

}  // namespace nodes
