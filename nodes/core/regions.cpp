#include "nodes/core/regions.h"

#include <algorithm>
#include <map>
#include <optional>

#include "gpu/base/format.h"
#include "nodes/core/any_type.h"
#include "nodes/core/node.h"

namespace nodes {
namespace {

using Readers = std::map<std::string, std::set<std::string>>;

LoopPart part_of(const Document& document, const std::string& id) {
    const NodeRecord* record = document.find(id);
    const Node* type = record ? find_node_type(record->type) : nullptr;
    return type ? type->info().loop : LoopPart::None;
}

Readers readers_of(const Document& document) {
    Readers readers;
    for (const Link& link : document.links()) readers[link.from.node].insert(link.to.node);
    return readers;
}

// All that depends on `from`, which is part of it, without passing through `end`.
std::set<std::string> downstream(const Readers& readers, const std::string& from, const std::string& end) {
    std::set<std::string> found;
    std::vector<std::string> open{from};
    while (!open.empty()) {
        const std::string id = std::move(open.back());
        open.pop_back();
        if (id == end || !found.insert(id).second) continue;
        if (const auto at = readers.find(id); at != readers.end()) open.insert(open.end(), at->second.begin(), at->second.end());
    }
    return found;
}

bool holds(const std::vector<Region>& regions, const std::string& id, std::string Region::*name) {
    return std::ranges::find(regions, id, name) != regions.end();
}

// The begin that an end is linked to, or an empty name.
std::string begin_of(const Document& document, const std::string& end) {
    const Link* link = document.link_into({end, "loop"});
    return link && part_of(document, link->from.node) == LoopPart::Begin ? link->from.node : std::string();
}

}  // namespace

std::vector<Region> regions_of(const Document& document) {
    std::vector<Region> regions;
    std::optional<Readers> readers;      // most documents have no region
    std::set<std::string> begins;
    for (const std::string& id : document.node_ids()) {
        if (part_of(document, id) != LoopPart::End) continue;
        const std::string begin = begin_of(document, id);
        if (begin.empty() || !begins.insert(begin).second) continue;
        if (!readers) readers = readers_of(document);
        regions.push_back({begin, id, downstream(*readers, begin, id)});
    }
    std::ranges::stable_sort(regions, {}, [](const Region& region) { return region.body.size(); });
    return regions;
}

std::vector<RegionProblem> region_problems(const Document& document) {
    std::vector<RegionProblem> problems;
    const std::vector<Region> regions = regions_of(document);
    for (const std::string& id : document.node_ids()) {
        const LoopPart part = part_of(document, id);
        const bool begun = holds(regions, id, &Region::begin);
        if (part == LoopPart::Begin && !begun)
            problems.push_back({id, "loop", "expected a link to the end of the loop: what hangs on it runs once", true});
        if (part == LoopPart::End && document.link_into({id, "loop"}) && !holds(regions, id, &Region::end))
            problems.push_back({id, "loop", "expected the begin of a loop that has no other end"});
    }
    if (regions.empty()) return problems;
    const Readers readers = readers_of(document);
    for (const Region& region : regions) {
        for (const std::string& id : downstream(readers, region.end, ""))
            if (region.body.contains(id))
                problems.push_back({id, "", "expected to be inside or outside of the loop " + region.begin + ", got links from both"});
        for (const Region& other : regions) {
            if (&other == &region || other.body.contains(region.begin) || region.body.contains(other.begin)) continue;
            for (const std::string& id : other.body)
                if (&other < &region && region.body.contains(id))
                    problems.push_back({id, "", gpu::format("expected to be inside of one loop, got links from {} and {}", region.begin, other.begin)});
        }
        // What is carried must come back as the type that it came in.
        const Node& end = *find_node_type(document.node(region.end).type);
        for (const SocketInfo& input : end.inputs()) {
            const Link* back = document.link_into({region.end, input.name});
            const Link* in = document.link_into({region.begin, input.name});
            if (!back || !input.type->any || !find_node_type(document.node(region.begin).type)->input(input.name)) continue;
            const SocketType* returned = flowing_type(document, back->from);
            const SocketType* given = in ? flowing_type(document, in->from) : nullptr;
            if (returned && given && returned != given)
                problems.push_back({region.end, input.name, "expected " + given->name + " as the loop began with, got " + returned->name});
        }
    }
    return problems;
}

SocketType SocketTraits<LoopState>::describe() {
    return {.title = "Loop", .colour = "#d0d0d0", .help = "Ties the end of a loop to its begin",
            .bytes = erased<LoopState>([](const LoopState& state) {
                std::size_t bytes = sizeof state;
                for (const auto& list : state.collected)
                    for (const Value& value : list) bytes += value.bytes();
                return bytes;
            }),
            .summary = erased<LoopState>([](const LoopState& state) { return gpu::format("iteration {} of {}", state.index + 1, state.count); }),
            .hash = erased<LoopState>([](const LoopState& state) {
                gpu::Hasher hasher;
                hasher.add(state.index).add(state.count).add(state.again);
                for (const auto& list : state.collected)
                    for (const Value& value : list) hasher.add(value.hash().value_or(gpu::Hash{}));
                return hasher.finish();
            }),
            // As the end hands it out: nothing is collected any more.
            .store = erased<LoopState>([](const LoopState& state) -> std::optional<StoredValue> {
                if (!state.collected.empty()) return std::nullopt;
                return StoredValue{{{"index", static_cast<qint64>(state.index)}, {"count", static_cast<qint64>(state.count)}, {"again", state.again}}, {}};
            }),
            .restore = [](const StoredValue& stored) {
                return Value::of<LoopState>({stored.fields["index"].toInteger(), stored.fields["count"].toInteger(1), stored.fields["again"].toBool()});
            }};
}

}  // namespace nodes
