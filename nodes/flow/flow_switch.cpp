#include <cmath>

#include "nodes/core/any_type.h"
#include "nodes/core/node.h"
#include "nodes/types/number.h"

namespace nodes {
namespace {

struct FlowSwitch final : Node {
    FlowSwitch() : Node({.id = "flow.switch", .version = 1, .title = "Switch", .category = "Flow",
                         .help = "One of up to six values, by number. What the others need does not run."}) {}

    In<double> number{this, "number", "Which one, from 0, in place of the parameter", {.optional = true}};
    In<Value>  a     {this, "a", "Number 0", {.lazy = true}};
    In<Value>  b     {this, "b", "Number 1", {.optional = true, .lazy = true}};
    In<Value>  c     {this, "c", "Number 2", {.optional = true, .lazy = true}};
    In<Value>  d     {this, "d", "Number 3", {.optional = true, .lazy = true}};
    In<Value>  e     {this, "e", "Number 4", {.optional = true, .lazy = true}};
    In<Value>  f     {this, "f", "Number 5", {.optional = true, .lazy = true}};
    Param<int> index {this, "index", "Which one, from 0", {.initial = 0, .min = 0, .max = 5}};
    Out<Value> value {this, "value", "The one that was chosen", "", "a"};

    bool wants(Eval& ev, const SocketInfo& input) const override { return input.name == chosen(ev).name(); }

    void compute(Eval& ev) const override {
        const In<Value>& in = chosen(ev);
        if (!ev.has(in)) ev.fail(in, "expected a link, number {} was chosen", in.index() - a.index());
        ev.set(value, ev[in]);
    }

private:
    const In<Value>& chosen(Eval& ev) const {
        const In<Value>* all[] = {&a, &b, &c, &d, &e, &f};
        const double which = ev.has(number) ? ev[number] : ev[index];
        if (!(which >= 0 && which < static_cast<double>(std::size(all))) || which != std::floor(which))
            ev.fail(number, "expected a whole number from 0 to {}, got {}", std::size(all) - 1, which);
        return *all[static_cast<std::size_t>(which)];
    }
};

}  // namespace

REGISTER_NODE(flow_switch, FlowSwitch)

}  // namespace nodes
