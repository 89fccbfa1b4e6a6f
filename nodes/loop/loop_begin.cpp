#include <cmath>

#include "nodes/core/any_type.h"
#include "nodes/core/node.h"
#include "nodes/core/regions.h"
#include "nodes/types/number.h"

namespace nodes {
namespace {

struct LoopBegin final : Node {
    LoopBegin() : Node({.id = "loop.begin", .version = 1, .title = "Begin Loop", .category = "Loop",
                        .help = "Begins a part of the graph that runs several times, up to the End Loop that it is linked to. Values "
                                "linked into a to d go round: each iteration gets what the one before handed to the end.",
                        .loop = LoopPart::Begin}) {}

    In<LoopState> loop {this, "loop", "Left free: the loop fills it in", {.optional = true}};
    In<double>    times{this, "times", "Number of iterations, in place of the parameter", {.optional = true}};
    In<Value>     a    {this, "a", "First value that goes round", {.optional = true}};
    In<Value>     b    {this, "b", "Second value that goes round", {.optional = true}};
    In<Value>     c    {this, "c", "Third value that goes round", {.optional = true}};
    In<Value>     d    {this, "d", "Fourth value that goes round", {.optional = true}};
    Param<int>    count{this, "count", "Number of iterations, at most where the end stops the loop", {.initial = 10, .min = 1, .max = 1000000}};
    Out<LoopState> state{this, "loop", "To the End Loop"};
    Out<double>   index{this, "index", "Number of the iteration, from 0"};
    Out<Value>    a_out{this, "a", "What came in, later what the end got in the iteration before"};
    Out<Value>    b_out{this, "b", "The same of the second value"};
    Out<Value>    c_out{this, "c", "The same of the third value"};
    Out<Value>    d_out{this, "d", "The same of the fourth value"};

    void compute(Eval& ev) const override {
        LoopState next{.index = 0, .count = ev[count]};
        if (ev.has(times)) {
            if (!(ev[times] >= 1 && ev[times] <= 1e6) || ev[times] != std::floor(ev[times]))
                ev.fail(times, "expected a whole number of iterations from 1 to 1000000, got {}", ev[times]);
            next.count = static_cast<std::int64_t>(ev[times]);
        }
        if (ev.has(loop)) {
            next.index = ev[loop].index + 1;
            next.collected = ev[loop].collected;
        }
        ev.set(index, static_cast<double>(next.index));
        ev.set(state, std::move(next));
        const std::pair<const In<Value>*, const Out<Value>*> carried[] = {{&a, &a_out}, {&b, &b_out}, {&c, &c_out}, {&d, &d_out}};
        for (const auto& [in, out] : carried)
            if (ev.has(*in)) ev.set(*out, ev[*in]);
    }
};

}  // namespace

REGISTER_NODE(loop_begin, LoopBegin)

}  // namespace nodes
