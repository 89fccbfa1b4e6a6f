#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(elementwise, list) {
    for (const Shape& shape : {Shape{1}, Shape{7}, Shape{127}, Shape{128}, Shape{129}, Shape{3, 5, 7}, Shape{}}) {
        list.add({.in = {shape, shape}}, [](const Tensors& in) { return in[0] * in[1] + in[0] - in[1] * 0.5; });
        list.add({.in = {shape, shape}, .low = 0.5, .high = 2}, [](const Tensors& in) { return in[0] / in[1] + pow(in[0], in[1]); });
    }
    list.add({.in = {{0, 3}}, .gradient = false}, [](const Tensors& in) { return in[0] + 1.0; });
    list.add({.in = {{40}}, .low = 0.2, .high = 3}, [](const Tensors& in) { return sqrt(in[0]) + rsqrt(in[0]) + log(in[0]) + exp(in[0]); });
    list.add({.in = {{40}}, .low = -4, .high = 4}, [](const Tensors& in) { return sin(in[0]) * cos(in[0]) + tanh(in[0]); });
    list.add({.in = {{40}}, .low = -4, .high = 4}, [](const Tensors& in) { return gelu(in[0]); });
    list.add({.in = {{40}}, .low = -4, .high = 4}, [](const Tensors& in) { return gelu_tanh(in[0]) + quick_gelu(in[0]) + silu(in[0]); });
    list.add({.in = {{4001}}, .gradient = false, .low = -6, .high = 6, .tolerance = 2e-6}, [](const Tensors& in) { return erf(in[0]); });
    list.add({.in = {{4001}}, .gradient = false, .low = -12, .high = 12, .tolerance = 1e-6}, [](const Tensors& in) { return tanh(in[0]); });
    list.add({.in = {{4001}}, .gradient = false, .low = -30, .high = 3, .tolerance = 1e-6}, [](const Tensors& in) { return exp(in[0]); });
    list.add({.in = {{4001}}, .gradient = false, .low = -9, .high = 9, .tolerance = 1e-6}, [](const Tensors& in) { return gelu(in[0]) + sigmoid(in[0] * 3.0); });
    list.add({.in = {{50}}, .low = -3, .high = 3}, [](const Tensors& in) { return relu(in[0]) + abs(in[0]) + maximum(in[0], 0.5) - minimum(in[0], -0.5); });
    list.add({.in = {{50}}, .gradient = false, .low = -3, .high = 3}, [](const Tensors& in) { return floor(in[0]) + ceil(in[0]) + round(in[0]) + sign(in[0]); });
    list.add({.in = {{50}, {50}}}, [](const Tensors& in) { return where(less(in[0], in[1]), in[0] * 2.0, in[1] * 3.0); });
    list.add({.in = {{50}}}, [](const Tensors& in) { return clamp(in[0] * 2.0, -0.7, 0.8); });
    list.add({.in = {{50}}, .gradient = false, .low = -300, .high = 300}, [](const Tensors& in) { return cast(cast(in[0], Dtype::I32), Dtype::F32); });
    list.add({.in = {{50}}, .gradient = false, .tolerance = 1e-3}, [](const Tensors& in) { return cast(cast(in[0], Dtype::F16) * 2.0, Dtype::F32); });
    list.add({.in = {{50}}, .gradient = false, .tolerance = 8e-3}, [](const Tensors& in) { return cast(cast(in[0], Dtype::BF16) * 2.0, Dtype::F32); });
    // broadcasts
    list.add({.in = {{2, 3, 4, 5}, {3, 1, 1}}}, [](const Tensors& in) { return in[0] * in[1]; });
    list.add({.in = {{2, 1, 4, 1}, {3, 1, 5}}}, [](const Tensors& in) { return in[0] + in[1]; });
    list.add({.in = {{6}, {4, 1}}}, [](const Tensors& in) { return in[0] - in[1]; });
    list.add({.in = {{9}}}, [](const Tensors& in) { return in[0] * arange(9) + full({9}, 2.5); });
}
