// Which texts of a node type are prompts for a text encoder, so that an editor can show their grammar and count their tokens. A node
// class derives from ReadsPrompts beside Node:
//
//     struct TextEncode final : Node, ReadsPrompts {
//         ...
//         std::vector<PromptText> prompt_texts() const override { return {{.param = "text", .input = "prompt"}}; }
//     };
#pragma once

#include <string>
#include <vector>

namespace nodes {

struct PromptText {
    std::string param;                  // the text
    std::string input{};                // that stands in for it where something is connected; empty: none
    std::string encoder = "encoder";    // the input with the text encoders
    int tower = 0;                      // which of them reads it; the first where all do
    std::string dialect = "dialect";    // a choice in the order of PromptDialect (nodes/types/prompt.h)
    std::string steps{};                // what the numbers of schedules mean; empty: there are no schedules
    bool lines = false;                 // a prompt a line
};

class ReadsPrompts {
public:
    virtual ~ReadsPrompts() = default;
    virtual std::vector<PromptText> prompt_texts() const = 0;
};

// Of a node type; empty where it declares none. `Type` is Node: a template so that this header needs nothing.
template <typename Type>
std::vector<PromptText> prompt_texts_of(const Type* type) {
    const auto* reads = dynamic_cast<const ReadsPrompts*>(type);
    return reads ? reads->prompt_texts() : std::vector<PromptText>();
}

}  // namespace nodes
