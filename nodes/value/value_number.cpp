#include "nodes/core/node.h"
#include "nodes/types/number.h"

namespace nodes {
namespace {

struct ValueNumber final : Node {
    ValueNumber() : Node({.id = "value.number", .version = 1, .title = "Number", .category = "Value",
                          .help = "A number that several nodes can share."}) {}

    Param<double> value{this, "value", "The number", {.decimals = 6}};
    Out<double>   number{this, "number", "The number"};

    void compute(Eval& ev) const override { ev.set(number, ev[value]); }
};

}  // namespace

REGISTER_NODE(value_number, ValueNumber)

}  // namespace nodes
