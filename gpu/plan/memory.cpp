// Live ranges -> places: outputs and leaves have their own buffers, everything between lies in one arena. A step that
// walks an input and its result in the same order may write over the input when nobody needs it again (donation).
// Barriers follow from the ranges that steps read and write.
#include <algorithm>

#include "gpu/base/span.h"
#include "gpu/plan/program.h"

namespace gpu {
namespace {

constexpr std::size_t alignment = 256;

std::size_t aligned(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

std::size_t bytes_of(const Spec& spec) { return static_cast<std::size_t>(element_count(spec.shape)) * size_of(spec.dtype); }

void find_live_ranges(Program& program) {
    program.placements.assign(program.nodes.size(), {});
    for (std::size_t i = 0; i < program.nodes.size(); ++i)
        if (program.nodes[i].leaf >= 0) program.placements[i].kind = Placement::Leaf;
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
        const Step& step = program.steps[s];
        const int at = static_cast<int>(s);
        Placement& result = program.placements[step.result];
        if (result.kind == Placement::None) result.first = at;   // a concatenation is written by several steps
        result.kind = Placement::Arena;
        result.size = bytes_of(program.nodes[step.result].spec);
        result.last = at;
        for (const Operand& read : step.reads) program.placements[read.root].last = at;
    }
    for (std::size_t o = 0; o < program.outputs.size(); ++o) {
        Placement& place = program.placements[program.nodes[program.outputs[o]].root];
        if (place.kind != Placement::Arena) continue;
        place.kind = Placement::Output;
        place.output = static_cast<int>(o);
    }
}

// Whether the step walks this input and its result in the same order, so that it may write over it as it goes.
bool walks_along(const Program& program, const Step& step, const Operand& read) {
    if (step.kind != Step::Generated || step.reduce >= 0 || step.core >= 0) return false;
    if (program.nodes[step.result].op->kind() != OpKind::Elementwise) return false;
    const auto reads_of_root = std::count_if(step.reads.begin(), step.reads.end(),
                                             [&](const Operand& other) { return other.root == read.root; });
    return reads_of_root == 1 && read.dtype == step.write.dtype && !read.blocks && read.view.strides == step.write.view.strides &&
           read.view.offset == 0;
}

// The input whose place in the arena the result may take, or -1.
int donor(const Program& program, std::size_t s) {
    const Step& step = program.steps[s];
    const Placement& result = program.placements[step.result];
    for (const Operand& read : step.reads) {
        const Placement& place = program.placements[read.root];
        if (place.kind != Placement::Arena || place.last != static_cast<int>(s) || place.size != result.size) continue;
        if (walks_along(program, step, read)) return read.root;
    }
    return -1;
}

// Outputs take the places of donated leaves of their size: new parameters those of the old ones.
void place_on_leaves(Program& program) {
    std::vector<int> free;   // nodes of donated leaves
    for (std::size_t i = 0; i < program.nodes.size(); ++i)
        if (const int leaf = program.nodes[i].leaf; leaf >= 0 && program.leaves[leaf].donated) free.push_back(static_cast<int>(i));
    for (const int output : program.outputs) std::erase(free, program.nodes[output].root);   // another view of the leaf
    if (free.empty()) return;
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
        const Step& step = program.steps[s];
        Placement& result = program.placements[step.result];
        if (result.kind != Placement::Output || result.donor >= 0 || result.first != static_cast<int>(s)) continue;
        const auto fits = [&](int leaf) {
            const Placement& place = program.placements[leaf];
            if (bytes_of(program.nodes[leaf].spec) != result.size || result.size == 0) return false;
            if (place.last < result.first) return true;
            return place.last == result.first && std::any_of(step.reads.begin(), step.reads.end(), [&](const Operand& read) {
                       return read.root == leaf && read.leaf_order.empty() && walks_along(program, step, read);
                   });
        };
        // The leaf that this very step reads, if there is one: the new value of the same thing.
        auto best = std::find_if(free.begin(), free.end(), [&](int leaf) {
            return program.placements[leaf].last == result.first && fits(leaf);
        });
        if (best == free.end()) best = std::find_if(free.begin(), free.end(), fits);
        if (best == free.end()) continue;
        result.donor = *best;
        program.placements[*best].output = result.output;
        free.erase(best);
    }
}

// First fit by start of life, lowest offset among the blocks that live at the same time.
void assign_offsets(Program& program) {
    std::vector<int> alive;
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
        const int at = static_cast<int>(s);
        const int result = program.steps[s].result;
        Placement& place = program.placements[result];
        if (place.kind != Placement::Arena || place.first != at || std::find(alive.begin(), alive.end(), result) != alive.end())
            continue;
        std::erase_if(alive, [&](int node) { return program.placements[node].last < at; });
        if (const int from = donor(program, s); from >= 0) {
            place.offset = program.placements[from].offset;
            std::erase(alive, from);
        } else {
            std::sort(alive.begin(), alive.end(),
                      [&](int a, int b) { return program.placements[a].offset < program.placements[b].offset; });
            std::size_t offset = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
            for (const int node : alive) {
                const Placement& other = program.placements[node];
                if (other.offset >= offset && other.offset - offset >= place.size && other.offset - offset < best_gap) {
                    best = offset;
                    best_gap = other.offset - offset;
                }
                offset = std::max(offset, aligned(other.offset + other.size));
            }
            place.offset = best == SIZE_MAX ? offset : best;
        }
        alive.push_back(result);
        program.arena_bytes = std::max(program.arena_bytes, aligned(place.offset + place.size));
        std::size_t live = 0;
        for (const int node : alive) live += aligned(program.placements[node].size);
        program.arena_lower_bound = std::max(program.arena_lower_bound, live);
    }
}

struct Range {
    int space = 0;   // 0: arena, else an output's own buffer
    std::size_t begin = 0, end = 0;

    bool meets(const Range& other) const { return space == other.space && begin < other.end && other.begin < end; }
};

void find_barriers(Program& program) {
    std::vector<Range> written, read;   // since the last barrier
    const auto range = [&](int root) {
        const Placement& place = program.placements[root];
        if (place.kind == Placement::Output) return Range{1 + place.output, 0, std::max<std::size_t>(place.size, 1)};
        if (place.kind == Placement::Leaf) return Range{1 + place.output, 0, SIZE_MAX};
        return Range{0, place.offset, place.offset + place.size};
    };
    const auto meets_any = [](const Range& one, const std::vector<Range>& list) {
        return std::any_of(list.begin(), list.end(), [&](const Range& other) { return one.meets(other); });
    };
    for (Step& step : program.steps) {
        const Range target = range(step.result);
        step.barrier = meets_any(target, written) || meets_any(target, read);
        std::vector<Range> sources;
        for (const Operand& operand : step.reads)
            if (const Placement& place = program.placements[operand.root]; place.kind != Placement::Leaf || place.output >= 0)
                sources.push_back(range(operand.root));
        for (const Range& source : sources) step.barrier = step.barrier || meets_any(source, written);
        if (step.barrier) {
            written.clear();
            read.clear();
        }
        written.push_back(target);
        read.insert(read.end(), sources.begin(), sources.end());
    }
}

}  // namespace

void memory(Program& program) {
    const Span span("pass", "memory");
    find_live_ranges(program);
    place_on_leaves(program);
    assign_offsets(program);
    find_barriers(program);
}

}  // namespace gpu
