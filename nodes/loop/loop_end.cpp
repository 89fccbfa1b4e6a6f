#include "nodes/core/any_type.h"
#include "nodes/core/node.h"
#include "nodes/core/regions.h"
#include "nodes/types/number.h"

namespace nodes {
namespace {

struct LoopEnd final : Node {
    LoopEnd() : Node({.id = "loop.end", .version = 1, .title = "End Loop", .category = "Loop",
                      .help = "Ends a part of the graph that runs several times. What is linked into a to d goes to the next iteration, and "
                              "out of the loop after the last one; what is linked into x and y is collected, one value an iteration.",
                      .loop = LoopPart::End}) {}

    In<LoopState> loop {this, "loop", "From the Begin Loop"};
    In<double>    again{this, "again", "0 ends the loop after this iteration: a loop that runs while something holds", {.optional = true}};
    In<Value>     a    {this, "a", "First value that goes round", {.optional = true}};
    In<Value>     b    {this, "b", "Second value that goes round", {.optional = true}};
    In<Value>     c    {this, "c", "Third value that goes round", {.optional = true}};
    In<Value>     d    {this, "d", "Fourth value that goes round", {.optional = true}};
    In<Value>     x    {this, "x", "A value to collect, such as a picture of every iteration", {.optional = true}};
    In<Value>     y    {this, "y", "Another value to collect", {.optional = true}};
    Out<LoopState> state{this, "loop", "How the loop ended"};
    Out<Value>    a_out{this, "a", "The first value of the last iteration"};
    Out<Value>    b_out{this, "b", "The second value of the last iteration"};
    Out<Value>    c_out{this, "c", "The third value of the last iteration"};
    Out<Value>    d_out{this, "d", "The fourth value of the last iteration"};
    Out<Value>    x_out{this, "x", "What was collected, as one batch"};
    Out<Value>    y_out{this, "y", "What else was collected, as one batch"};

    void compute(Eval& ev) const override {
        LoopState next = ev[loop];
        next.again = next.index + 1 < next.count && (!ev.has(again) || ev[again] != 0);
        const std::pair<const In<Value>*, const Out<Value>*> carried[] = {{&a, &a_out}, {&b, &b_out}, {&c, &c_out}, {&d, &d_out}};
        for (const auto& [in, out] : carried)
            if (ev.has(*in)) ev.set(*out, ev[*in]);
        const std::pair<const In<Value>*, const Out<Value>*> collecting[] = {{&x, &x_out}, {&y, &y_out}};
        next.collected.resize(std::size(collecting));
        for (std::size_t i = 0; i < std::size(collecting); ++i) {
            const auto& [in, out] = collecting[i];
            if (!ev.has(*in)) continue;
            const SocketType& type = *ev[*in].type();
            if (!type.collect) ev.fail(*in, "expected a type that can be collected (image, mask, latent, tensor), got {}", type.name);
            next.collected[i].push_back(ev[*in]);
            if (!next.again) ev.set(*out, type.collect(next.collected[i]));
        }
        if (!next.again) next.collected.clear();      // handed out
        ev.set(state, std::move(next));
    }
};

}  // namespace

REGISTER_NODE(loop_end, LoopEnd)

}  // namespace nodes
