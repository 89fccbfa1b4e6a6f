// Mixed precision (arXiv:1710.03740): activations of 16 bits in a graph whose parameters and sums have 32.
#pragma once

#include "gpu/graph/tensor.h"

namespace gpu {

// While one lives, what this thread builds of matrix products and convolutions reads and gives numbers of this type: they convert F32 inputs.
// Elementwise functions and norms follow what they read; sums and means of such numbers are F32. The last one made counts; F32
// changes nothing. Gradients are built outside: cotangents have the types that the forward pass chose.
class Autocast {
public:
    explicit Autocast(Dtype dtype);
    ~Autocast();
    Autocast(const Autocast&) = delete;
    Autocast& operator=(const Autocast&) = delete;

private:
    Dtype before_;
};

// An input of a product, and of a sum, as the living Autocast wants it.
Tensor product_input(const Tensor& x);
Tensor sum_input(const Tensor& x);

}  // namespace gpu
