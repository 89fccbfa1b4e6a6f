#include "nodes/types/trained.h"

#include "gpu/base/error.h"

namespace nodes {

std::string Trained::summary() const {
    std::string text;
    for (const Value& value : parts_) {
        const std::string part = value.summary();
        if (!text.empty()) text += "; ";
        text += part.empty() ? value.type()->title : part;
    }
    return text;
}

void Trained::missing(const std::string& wanted) const {
    std::string made;
    for (const Value& value : parts_) {
        if (!made.empty()) made += ", ";
        made += value.type()->title;
    }
    throw gpu::Error(gpu::ErrorCode::InvalidGraph, gpu::format("trained: expected something with a part \"{}\", got {}", wanted, made.empty() ? "nothing" : made));
}

SocketType SocketTraits<Trained>::describe() {
    return {.title = "Trained", .colour = "#b5651d", .help = "What training made; goes into the sockets of its parts",
            .bytes = erased<Trained>([](const Trained& trained) {
                std::size_t sum = 0;
                for (const Value& value : trained.parts()) sum += value.bytes();
                return sum;
            }),
            .summary = erased<Trained>([](const Trained& trained) { return trained.summary(); })};
}

}  // namespace nodes
