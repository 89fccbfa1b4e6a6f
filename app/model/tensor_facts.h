// What can be said about the numbers of a value: shapes, ranges, and whether something went wrong in them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nodes/core/socket_type.h"

namespace app {

struct TensorFacts {
    std::string name;   // within its value: "tensor", "mask", ...
    std::string shape;  // "1 x 4 x 64 x 64"
    std::string dtype;  // "f32"
    bool read = false;  // the rest is known; not of quantised tensors and those above 256 million elements
    double min = 0, max = 0, mean = 0, deviation = 0;  // of finite elements; population deviation
    std::uint64_t count = 0, nans = 0, infinities = 0;
};

// Of all tensors that the value is stored as; empty where it holds none. Evaluates, takes as long as reading them does.
std::vector<TensorFacts> tensor_facts(const nodes::Value& value);

}  // namespace app
