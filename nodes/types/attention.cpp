#include "nodes/types/attention.h"

#include "gpu/base/format.h"

namespace nodes {

SocketType SocketTraits<Attention>::describe() {
    return {.title = "Attention", .colour = "#4a8f6b", .help = "Where a network looked for each token of the prompt",
            .bytes = erased<Attention>([](const Attention& a) { return sizeof a + (a.maps ? tensor_bytes(a.maps) : 0); }),
            .summary = erased<Attention>([](const Attention& a) {
                return a.maps ? gpu::format("{} tokens, {} x {} cells, {} calls", a.maps.size(1), a.maps.size(3), a.maps.size(2), a.calls) : std::string("nothing recorded");
            }),
            .hash = erased<Attention>([](const Attention& a) {
                gpu::Hasher hasher;
                hasher.add(a.calls).add(a.factor);
                if (a.maps) hasher.add(content_hash(a.maps));
                return hasher.finish();
            }),
            .store = erased<Attention>([](const Attention& a) {
                StoredValue stored{{{"calls", a.calls}, {"factor", a.factor}}, {}};
                if (a.maps) stored.tensors.emplace("maps", a.maps);
                return std::optional(std::move(stored));
            }),
            .restore = [](const StoredValue& stored) {
                Attention made{.maps = {}, .calls = stored.fields["calls"].toInt(), .factor = stored.fields["factor"].toInt(8)};
                if (stored.tensors.contains("maps")) made.maps = stored_tensor(stored, "maps");
                return Value::of<Attention>(made);
            }};
}

}  // namespace nodes
