// Winograd's minimal filtering F(2 x 2, 3 x 3) (Lavin and Gray, arXiv:1509.09308) as a variant of convolutions and of their
// gradients in the map: 16 products of matrices for what would be 36, between transforms that add and subtract.
#pragma once

#include <string>
#include <vector>

#include "gpu/graph/conv_geometry.h"
#include "gpu/graph/tensor.h"

namespace gpu {

// "winograd", whose transformed values are F32, and for halves "winograd_half" too, which keeps them in F16; those of the two that
// serve and might be worth measuring.
std::vector<std::string> winograd_variants(const ConvGeometry& geometry, const Specs& in, const Spec& out);
bool is_winograd(const std::string& variant);
// For Op::variant_graph; `adjoint`: of conv_input_grad, whose map is the cotangent. Serves any size of a 3 x 3 kernel with neither
// stride, dilation nor groups, also sizes for which the variant is not offered.
Tensor winograd_graph(bool adjoint, const ConvGeometry& geometry, const Tensors& in, const Spec& out, const std::string& variant);

}  // namespace gpu
