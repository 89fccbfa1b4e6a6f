#include "gpu/run/memory_need.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "gpu/run/host_kernel.h"

namespace gpu {
namespace {

// Device bytes of the leaves that a range's steps read, each counted once.
std::uint64_t leaf_bytes(const LeafUses& uses, const StepRange& range) {
    std::uint64_t bytes = 0;
    for (const int use : uses.of(range))
        if (!uses.all[use].host_only) bytes += uses.all[use].bytes;
    return bytes;
}

// The second operand is the weight, the first is data.
std::optional<KeptCopy> kept_copy_of(const Program& program, const Step& step) {
    if (step.kind != Step::Host || step.core < 0 || step.reads.size() < 2) return {};
    const Operand& read = step.reads[1];
    const int leaf = program.nodes[read.root].leaf;
    if (leaf < 0) return {};
    const HostOperand weight{.shape = read.view.shape, .strides = read.view.strides, .dtype = read.dtype, .blocks = read.blocks};
    const std::uint64_t bytes = kept_weight_bytes(*program.nodes[step.core].kernel, weight, step.reads[0].view.shape, step.write.view.shape);
    if (bytes == 0) return {};
    return KeptCopy{leaf, bytes, read.blocks || read.dtype != Dtype::F32};
}

}  // namespace

std::vector<int> LeafUses::of(const StepRange& range) const {
    std::set<int> uses;
    for (std::size_t s = range.first; s < range.last; ++s) uses.insert(of_step[s].begin(), of_step[s].end());
    uses.erase(-1);
    return {uses.begin(), uses.end()};
}

LeafUses find_leaf_uses(const Program& program) {
    LeafUses uses;
    std::map<std::pair<int, Order>, int> known;
    uses.of_step.resize(program.steps.size());
    std::set<int> keeps;
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
        const Step& step = program.steps[s];
        if (const auto kept = kept_copy_of(program, step); kept && keeps.insert(kept->leaf).second) uses.kept.push_back(*kept);
        for (const Operand& read : step.reads) {
            const PlanNode& root = program.nodes[read.root];
            if (root.leaf < 0) {
                uses.of_step[s].push_back(-1);
                continue;
            }
            const bool as_it_lies = read.leaf_order.empty() || read.leaf_order == root.order;
            const Order& order = as_it_lies ? root.order : read.leaf_order;
            const auto [at, fresh] = known.try_emplace({root.leaf, order}, static_cast<int>(uses.all.size()));
            if (fresh) {
                const auto bytes = static_cast<std::uint64_t>(element_count(root.spec.shape)) * size_of(root.spec.dtype);
                uses.all.push_back({root.leaf, order, as_it_lies, std::max<std::uint64_t>(bytes, 4), s, s});
            }
            LeafUse& use = uses.all[at->second];
            use.host_only = use.host_only && step.kind == Step::Host;
            use.last = s;
            uses.of_step[s].push_back(at->second);
        }
    }
    return uses;
}

std::vector<StepRange> cut_by_leaves(const Program& program, const LeafUses& uses, std::uint64_t bytes) {
    std::vector<StepRange> ranges;
    std::size_t first = 0;
    std::set<int> here;   // uses of the open range
    std::uint64_t held = 0;
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
        std::uint64_t more = 0;
        std::set<int> fresh;
        for (const int use : uses.of_step[s])
            if (use >= 0 && !uses.all[use].host_only && !here.contains(use) && fresh.insert(use).second) more += uses.all[use].bytes;
        if (s > first && more > 0 && held + more > bytes) {
            ranges.push_back({first, s});
            first = s;
            here.clear();
            held = 0;
            more = leaf_bytes(uses, {s, s + 1});
            fresh.clear();
            for (const int use : uses.of_step[s])
                if (use >= 0) fresh.insert(use);
        }
        here.merge(fresh);
        held += more;
    }
    ranges.push_back({first, program.steps.size()});
    return ranges;
}

std::uint64_t largest_step_leaves(const Program& program, const LeafUses& uses) {
    std::uint64_t most = 0;
    for (std::size_t s = 0; s < program.steps.size(); ++s) most = std::max(most, leaf_bytes(uses, {s, s + 1}));
    return most;
}

std::uint64_t largest_live(const Program& program) {
    std::uint64_t most = 0;
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
        std::uint64_t live = 0;
        for (const Placement& place : program.placements)
            if (place.kind == Placement::Arena && place.first <= static_cast<int>(s) && static_cast<int>(s) <= place.last)
                live += place.size;
        most = std::max(most, live);
    }
    return most;
}

}  // namespace gpu
