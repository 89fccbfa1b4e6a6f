#include "nodes/models/merge/merge.h"

#include "gpu/ops.h"
#include "nodes/types/model.h"

namespace nodes {
namespace {

const gpu::Shape* shape_in(const MergeSource& source, const std::string& name) {
    const auto at = source.weights.find(name);
    return at == source.weights.end() ? nullptr : &at->second.entry.shape;
}

// The same but for fewer input channels.
bool narrower(const gpu::Shape& theirs, const gpu::Shape& ours) {
    if (theirs.size() != 4 || ours.size() != 4) return false;
    gpu::Shape same = theirs;
    same[1] = ours[1];
    return same == ours && theirs[1] < ours[1];
}

Tensor weight_of(const MergeSource& source, const std::string& name, const gpu::Shape& shape) {
    const Tensor own = patched_weight(name, gpu::to_leaf(source.weights.at(name)), source.patches);
    if (own.shape() == shape) return own;
    gpu::Shape after(shape.size(), 0);
    after[1] = shape[1] - own.size(1);
    return gpu::pad(own, gpu::Shape(shape.size(), 0), after);
}

}  // namespace

bool MergePatch::fits(const std::string& name, const gpu::Shape& shape) const {
    const auto one = [&](const MergeSource& source) {
        const gpu::Shape* theirs = shape_in(source, name);
        return theirs && (*theirs == shape || narrower(*theirs, shape));
    };
    return one(b_) && (!c_ || one(*c_));
}

bool MergePatch::touches(const std::string& name) const { return ratio_of(name) != 0 && shape_in(b_, name) && (!c_ || shape_in(*c_, name)); }

Tensor MergePatch::apply(const std::string& name, const Tensor& weight) const {
    if (!fits(name, weight.shape())) return weight;
    const Tensor ratio = gpu::reshape(gpu::tensor({static_cast<float>(ratio_of(name))}), gpu::Shape(static_cast<std::size_t>(weight.rank()), 1));
    const Tensor theirs = weight_of(b_, name, weight.shape());
    if (c_) return weight + (theirs - weight_of(*c_, name, weight.shape())) * ratio;
    const Tensor merged = weight + (theirs - weight) * ratio;
    const std::int64_t channels = weight.rank() > 1 ? shape_in(b_, name)->at(1) : 0;
    if (*shape_in(b_, name) == weight.shape()) return merged;
    return gpu::concat({gpu::slice(merged, 1, 0, channels), gpu::slice(weight, 1, channels, weight.size(1))}, 1);
}

std::vector<std::string> MergePatch::unmatched(const gpu::Weights& a) const {
    std::vector<std::string> names;
    for (const auto& [name, weight] : a)
        if (!fits(name, weight.entry.shape)) names.push_back(name);
    return names;
}

}  // namespace nodes
