// Live ranges -> places: outputs and leaves have their own buffers, everything between lies in one arena. A step that
// walks an input and its result in the same order may write over the input when nobody needs it again (donation).
// Barriers follow from the ranges that steps read and write.
#include <algorithm>
#include <numeric>

#include "gpu/base/span.h"
#include "gpu/plan/program.h"

namespace gpu {
namespace {

constexpr std::size_t alignment = 256;
constexpr int improvement_rounds = 40;

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
    // Rows are read for the last time where their result is written, element by element.
    if (step.core >= 0 || program.nodes[step.result].spec.shape != step.space) return false;
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

// A piece of the arena: one result, or several that follow each other in place.
struct Block {
    std::size_t size = 0;
    int first = -1, last = -1;   // steps
    std::size_t offset = 0;

    bool lives_with(const Block& other) const { return first <= other.last && other.first <= last; }
};

// Gives the blocks places in this order, each the tightest gap among those placed that live at the same time (or the lowest
// that fits). Returns the bytes needed.
std::size_t pack(std::vector<Block>& blocks, const std::vector<int>& order, bool tightest) {
    std::vector<const Block*> placed;   // by offset
    std::size_t bytes = 0;
    for (const int index : order) {
        Block& block = blocks[index];
        std::size_t end = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
        for (const Block* other : placed) {
            if (!other->lives_with(block)) continue;
            if (other->offset >= end + block.size && other->offset - end < best_gap && (tightest || best == SIZE_MAX)) {
                best = end;
                best_gap = other->offset - end;
            }
            end = std::max(end, other->offset + other->size);
        }
        block.offset = best == SIZE_MAX ? end : best;
        bytes = std::max(bytes, block.offset + block.size);
        const auto behind = [](const Block* one, const Block* two) { return one->offset < two->offset; };
        placed.insert(std::upper_bound(placed.begin(), placed.end(), &block, behind), &block);
    }
    return bytes;
}

// No order is best for every graph: by start of life suits chains, large or long-lived blocks first suit skip connections.
void pack_best(std::vector<Block>& blocks, std::size_t bound) {
    std::vector<int> by_start(blocks.size());
    std::iota(by_start.begin(), by_start.end(), 0);
    const auto sorted = [&](auto key) {
        std::vector<int> order = by_start;
        std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return key(blocks[a]) > key(blocks[b]); });
        return order;
    };
    const std::vector<int> orders[]{by_start, sorted([](const Block& block) { return block.size; }),
                                    sorted([](const Block& block) { return static_cast<std::size_t>(block.last - block.first); }),
                                    sorted([](const Block& block) { return block.size * static_cast<std::size_t>(block.last - block.first + 1); })};
    std::vector<Block> best;
    std::vector<int> best_order;
    std::size_t best_bytes = SIZE_MAX;
    const auto attempt = [&](const std::vector<int>& order, bool tightest) {
        const std::size_t bytes = pack(blocks, order, tightest);
        if (bytes >= best_bytes) return;
        best_bytes = bytes;
        best = blocks;
        best_order = order;
    };
    for (const std::vector<int>& order : orders)
        for (const bool tightest : {true, false}) attempt(order, tightest);
    // Then whatever sticks out at the top is placed first, over and over.
    std::vector<int> order = best_order;
    blocks = best;
    for (int round = 0; round < improvement_rounds && best_bytes > bound; ++round) {
        const auto ends = [&](int block) { return blocks[block].offset + blocks[block].size; };
        const auto top = std::max_element(order.begin(), order.end(), [&](int a, int b) { return ends(a) < ends(b); });
        std::rotate(order.begin(), top, top + 1);
        attempt(order, round % 2 == 0);
    }
    blocks = std::move(best);
}

// Most bytes that live at one step.
std::size_t live_bytes(const std::vector<Block>& blocks, std::size_t steps) {
    std::vector<std::size_t> live(steps, 0);
    for (const Block& block : blocks)
        for (int s = block.first; s <= block.last; ++s) live[s] += block.size;
    return *std::max_element(live.begin(), live.end());
}

void assign_offsets(Program& program) {
    std::vector<Block> blocks;
    std::vector<int> block_of(program.nodes.size(), -1);
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
        const int result = program.steps[s].result;
        const Placement& place = program.placements[result];
        if (place.kind != Placement::Arena || block_of[result] >= 0) continue;
        if (const int from = donor(program, s); from >= 0) {
            block_of[result] = block_of[from];
            blocks[block_of[from]].last = place.last;
        } else {
            block_of[result] = static_cast<int>(blocks.size());
            blocks.push_back({aligned(place.size), place.first, place.last});
        }
    }
    if (blocks.empty()) return;
    program.arena_lower_bound = live_bytes(blocks, program.steps.size());
    pack_best(blocks, program.arena_lower_bound);
    for (std::size_t n = 0; n < program.nodes.size(); ++n)
        if (block_of[n] >= 0) program.placements[n].offset = blocks[block_of[n]].offset;
    for (const Block& block : blocks) program.arena_bytes = std::max(program.arena_bytes, block.offset + block.size);
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
    for (const Placement& place : program.placements)
        if (place.kind == Placement::Output && place.donor < 0) program.output_bytes += std::max<std::size_t>(place.size, 4);
    find_barriers(program);
}

}  // namespace gpu
