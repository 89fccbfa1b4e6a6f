// One case list per op (tests/ops/<op>.cpp), read by the device tests (forward against the oracle, gradient against
// finite differences) and by `heddle bench ops`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gpu/ops.h"

namespace tests {

struct OpCase {
    std::vector<gpu::Shape> in;           // shapes of the F32 inputs
    bool gradient = true;                 // also compare the gradient (small sizes only)
    double low = -1, high = 1;            // range of the random inputs
    double tolerance = 1e-5;              // relative L2 of the forward
    std::function<gpu::Tensor(const gpu::Tensors&)> make;
    std::string name;
};

class OpCases {
public:
    OpCases& add(OpCase one, std::function<gpu::Tensor(const gpu::Tensors&)> make);
    const std::vector<OpCase>& all() const { return cases_; }

private:
    std::vector<OpCase> cases_;
};

using FillCases = void (*)(OpCases&);
bool add_op_cases(const std::string& op, FillCases fill);
// op -> its cases, in name order.
std::vector<std::pair<std::string, OpCases>> all_op_cases();

// Deterministic uniform numbers.
std::vector<float> random_floats(std::size_t count, std::uint64_t seed, double low = -1, double high = 1);
gpu::Tensor random_tensor(const gpu::Shape& shape, std::uint64_t seed, double low = -1, double high = 1);

}  // namespace tests

#define OP_CASES(op, list)                                                             \
    static void op##_cases(tests::OpCases& list);                                      \
    static const bool op##_cases_added = tests::add_op_cases(#op, op##_cases);         \
    static void op##_cases(tests::OpCases& list)
