#include <algorithm>
#include <cmath>

#include "nodes/core/node.h"
#include "nodes/types/number.h"

namespace nodes {
namespace {

enum class Operation { Add, Subtract, Multiply, Divide, Power, Minimum, Maximum };

struct ValueCalculate final : Node {
    ValueCalculate() : Node({.id = "value.calculate", .version = 1, .title = "Calculate", .category = "Value",
                             .help = "One number from two."}) {}

    In<double>       a{this, "a", "First number"};
    In<double>       b{this, "b", "Second number"};
    Param<Operation> operation{this, "operation", "What is done with a and b",
                               {.names = {"add", "subtract", "multiply", "divide", "power", "minimum", "maximum"}}};
    Out<double>      result{this, "result", "a OPERATION b"};

    void compute(Eval& ev) const override {
        const double value = combine(ev[operation], ev[a], ev[b]);
        if (!std::isfinite(value))
            ev.fail(b, gpu::ErrorCode::Numeric, "expected a finite result, got {} from {} and {}", value, ev[a], ev[b]);
        ev.set(result, value);
    }

private:
    static double combine(Operation operation, double a, double b) {
        switch (operation) {
            case Operation::Add: return a + b;
            case Operation::Subtract: return a - b;
            case Operation::Multiply: return a * b;
            case Operation::Divide: return a / b;
            case Operation::Power: return std::pow(a, b);
            case Operation::Minimum: return std::min(a, b);
            case Operation::Maximum: return std::max(a, b);
        }
        return a;
    }
};

}  // namespace

REGISTER_NODE(value_calculate, ValueCalculate)

}  // namespace nodes
