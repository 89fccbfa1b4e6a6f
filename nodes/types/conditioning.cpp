#include "nodes/types/conditioning.h"

#include <algorithm>

#include "gpu/base/format.h"
#include "gpu/run/evaluate.h"

namespace nodes {

std::int64_t prompt_count(const Conditioning& conditioning) {
    std::int64_t count = 1;
    for (const ConditioningEntry& entry : conditioning.entries) count = std::max(count, entry.context.size(0));
    return count;
}

std::size_t conditioning_bytes(const Conditioning& conditioning) {
    std::size_t bytes = sizeof conditioning;
    for (const ConditioningEntry& entry : conditioning.entries) {
        bytes += sizeof entry;
        for (const Tensor* tensor : {&entry.context, &entry.pooled, &entry.mask})
            if (*tensor) bytes += tensor_bytes(*tensor);
    }
    return bytes;
}

Conditioning evaluated(Conditioning conditioning) {
    gpu::Tensors all;
    for (const ConditioningEntry& entry : conditioning.entries)
        for (const Tensor* tensor : {&entry.context, &entry.pooled, &entry.mask})
            if (*tensor) all.push_back(*tensor);
    gpu::evaluate(all);
    return conditioning;
}

SocketType SocketTraits<Conditioning>::describe() {
    return {.title = "Conditioning", .colour = "#d99a3d", .help = "Encoded prompts, with where and when each applies",
            .bytes = erased<Conditioning>(conditioning_bytes),
            .summary = erased<Conditioning>([](const Conditioning& conditioning) {
                std::string text;
                for (const ConditioningEntry& entry : conditioning.entries) {
                    if (!text.empty()) text += ", ";
                    text += gpu::format("{} tokens of {}", entry.context.size(1), entry.context.size(2));
                    if (entry.area) text += " in an area";
                    if (entry.mask) text += " in a mask";
                    if (entry.start > 0 || entry.end < 1) text += gpu::format(" from {} to {}", entry.start, entry.end);
                }
                return text.empty() ? std::string("nothing") : text;
            }),
            .hash = erased<Conditioning>([](const Conditioning& conditioning) {
                gpu::Hasher hasher;
                for (const ConditioningEntry& entry : conditioning.entries) {
                    hasher.add(entry.strength).add(entry.start).add(entry.end).add(entry.blind);
                    const SizeCondition& size = entry.size;
                    for (const double number : {size.height, size.width, size.top, size.left, size.target_height, size.target_width, size.aesthetic})
                        hasher.add(number);
                    if (entry.area) hasher.add(entry.area->x).add(entry.area->y).add(entry.area->width).add(entry.area->height).add(entry.area->relative);
                    for (const Tensor* tensor : {&entry.context, &entry.pooled, &entry.mask})
                        hasher.add(*tensor ? content_hash(*tensor) : gpu::Hash{});
                }
                return hasher.finish();
            })};
}

}  // namespace nodes
