// Convolutions of one group as matrix products that nobody writes down: which kernels there are for the three ops, and how they
// are lowered.
#pragma once

#include <string>
#include <vector>

#include "gpu/graph/conv_geometry.h"
#include "gpu/ops/gemm.h"

namespace gpu {

enum class ConvGemm {
    Forward,       // x, weight -> y:  pixels of y times channels of y, summed over taps and channels of x
    InputGrad,     // dy, weight -> x: pixels of x times channels of x, summed over taps and channels of dy
    WeightGrad,    // x, dy -> weight: channels of dy times taps and channels of x, summed over pixels of dy
};

// Empty where there are groups. Winograd's (gpu/ops/winograd.h) are among them, last.
std::vector<std::string> conv_gemm_variants(ConvGemm kind, const ConvGeometry& geometry, const Specs& in, const Spec& out, const DeviceTraits& traits);
// Whether the variant is one of these, and lower_conv_gemm does it; else the op's simple kernel is meant.
bool is_conv_gemm(const std::string& variant);
// Shader, inputs, constants, numbers and workgroups of the whole sum. `out`: the shape of the op's result.
void lower_conv_gemm(KernelBuilder& kernel, ConvGemm kind, const ConvGeometry& geometry, const Shape& out);
// For Op::variant_graph: the sum of the variant's parts, or Winograd's steps; an empty Tensor where it is one kernel.
Tensor conv_gemm_graph(ConvGemm kind, const ConvGeometry& geometry, const Tensors& in, const Spec& out, const std::string& variant);

}  // namespace gpu
