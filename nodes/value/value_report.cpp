#include "nodes/core/node.h"
#include "nodes/types/number.h"

namespace nodes {
namespace {

struct ValueReport final : Node {
    ValueReport() : Node({.id = "value.report", .version = 1, .title = "Report", .category = "Value",
                          .help = "Prints a number when the graph runs, and passes it on.", .target = true}) {}

    In<double>         number{this, "number", "The number to print"};
    Param<std::string> label{this, "label", "What it is called", {.initial = "value", .required = true}};
    Param<std::string> unit{this, "unit", "Its unit"};
    Out<double>        same{this, "number", "The same number"};

    void compute(Eval& ev) const override {
        ev.report(ev[label], ev[number], ev[unit]);
        ev.set(same, ev[number]);
    }
};

}  // namespace

REGISTER_NODE(value_report, ValueReport)

}  // namespace nodes
