#include "tests/support/op_cases.h"

using namespace gpu;

OP_CASES(resample, list) {
    for (const Filter filter : {Filter::Nearest, Filter::Bilinear, Filter::Bicubic, Filter::Lanczos, Filter::Area}) {
        list.add({.in = {{1, 3, 8, 6}}}, [=](const Tensors& in) { return resize(in[0], 5, 9, filter); });
        list.add({.in = {{2, 1, 5, 7}}}, [=](const Tensors& in) { return resize(in[0], 13, 3, filter, false); });
        list.add({.in = {{1, 2, 1, 4}}}, [=](const Tensors& in) { return resize(in[0], 3, 4, filter); });
    }
    for (const double sigma : {0.4, 1.3, 6.0})   // thin bands and matrices, borders included
        list.add({.in = {{2, 3, 12, 11}}}, [=](const Tensors& in) { return gaussian_blur(in[0], sigma); });
    list.add({.in = {{1, 1, 130, 3}}, .gradient = false}, [=](const Tensors& in) { return gaussian_blur(in[0], 0.3); });
}
