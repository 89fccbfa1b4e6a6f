#include "nodes/core/node.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

struct ValueText final : Node {
    ValueText() : Node({.id = "value.text", .version = 1, .title = "Text", .category = "Value",
                        .help = "A text that several nodes can share."}) {}

    Param<std::string> value{this, "value", "The text", {.multiline = true}};
    Out<std::string>   text{this, "text", "The text"};

    void compute(Eval& ev) const override { ev.set(text, ev[value]); }
};

}  // namespace

REGISTER_NODE(value_text, ValueText)

}  // namespace nodes
