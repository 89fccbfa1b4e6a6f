#include "nodes/latent/cells.h"

namespace nodes {
namespace {

enum class Operation { Add, Subtract, Multiply };

struct LatentMath final : Node {
    LatentMath() : Node({.id = "latent.math", .version = 1, .title = "Latent Math", .category = "Latent",
                         .help = "Adds, subtracts or multiplies latents, element by element."}) {}

    In<Latent>       a        {this, "a", "First latents"};
    In<Latent>       b        {this, "b", "Second latents, one for all of the first or as many; multiplying goes by the amount alone when "
                                          "nothing is connected",
                               {.optional = true}};
    Param<Operation> operation{this, "operation", "a + amount b, a - amount b, or a b amount", {.initial = Operation::Add, .names = {"add", "subtract", "multiply"}}};
    Param<double>    amount   {this, "amount", "Weight of the second", {.initial = 1, .min = -100, .max = 100, .step = 0.1}};
    Out<Latent>      latent   {this, "latent", "The result"};

    void compute(Eval& ev) const override {
        const Latent& first = ev[a];
        const double weight = ev[amount];
        Tensor other;
        if (ev.has(b)) {
            check_same_kind(ev, b, ev[b], first);
            other = as_batch(ev[b].tensor, first.batch());
        }
        if (!other && ev[operation] != Operation::Multiply) ev.fail(b, "expected latents to {}, got none", ev[operation] == Operation::Add ? "add" : "subtract");
        switch (ev[operation]) {
            case Operation::Add: ev.set(latent, evaluated(first.with(first.tensor + other * weight))); break;
            case Operation::Subtract: ev.set(latent, evaluated(first.with(first.tensor - other * weight))); break;
            case Operation::Multiply: ev.set(latent, evaluated(first.with((other ? first.tensor * other : first.tensor) * weight))); break;
        }
    }
};

}  // namespace

REGISTER_NODE(latent_math, LatentMath)

}  // namespace nodes
