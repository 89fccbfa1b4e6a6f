// What the three convolution ops share. They are closed under differentiation: the gradients of each are the other two,
// so transposed convolutions and gradients of gradients need nothing else.
#pragma once

#include "gpu/graph/conv_geometry.h"
#include "gpu/graph/tensor.h"

namespace gpu {

class KernelBuilder;

// x [N, C, size...] weight [O, C / groups, kernel...] -> [N, O, output...].
Tensor convolution(const Tensor& x, const Tensor& weight, ConvGeometry geometry);
// The adjoint in x: dy [N, O, output...] weight [O, C / groups, kernel...] -> [N, C, size...].
Tensor conv_input_grad(const Tensor& dy, const Tensor& weight, const ConvGeometry& geometry, const Shape& size);
// The adjoint in the weight: x [N, C, size...] dy [N, O, output...] -> [O, C / groups, kernel...].
Tensor conv_weight_grad(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Shape& kernel);

// Throws Error{InvalidGraph} unless x, weight and y fit one another under the geometry.
void check_conv(const Op& op, const ConvGeometry& geometry, const Spec& x, const Spec& weight, const Shape& y);

// Pieces of the composites. Kernel taps as offsets in the padded map, row-major.
std::vector<Shape> conv_taps(const ConvGeometry& geometry, const Shape& kernel);
// The elements of a padded map [N, C, ...] that the tap at `offset` meets: [N, C, output...].
Tensor conv_tap(const Tensor& padded, const ConvGeometry& geometry, const Shape& offset, const Shape& output);
// weight[..., tap]: [groups, O / groups, C / groups].
Tensor conv_tap_weight(const Tensor& weight, const ConvGeometry& geometry, std::size_t tap);

// What the shaders of convolutions are specialised by: kernel, strides, dilations and leading zeros, each brought to 3
// axes, and the number of groups.
void conv_constants(KernelBuilder& kernel, const ConvGeometry& geometry, const Shape& weight);
// The dispatch of shaders/convolution.comp, which walks over `to` and gathers from `from` with `c_from` and `c_to`
// channels in a group.
void conv_shader(KernelBuilder& kernel, const ConvGeometry& geometry, const Shape& weight, const Shape& from, const Shape& to,
                 std::int64_t c_from, std::int64_t c_to);
// Lengths padded to 3 axes with leading ones.
Shape three_axes(const Shape& lengths);
double conv_flop(const Shape& y, const Shape& weight);

}  // namespace gpu
