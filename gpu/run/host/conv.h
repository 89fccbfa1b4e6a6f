// Convolutions as oneDNN describes them, and which of its ways to take.
#pragma once

#include <functional>

#include "gpu/graph/conv_geometry.h"
#include "gpu/run/host/onednn.h"

namespace gpu {

// How the maps lie while a primitive works on them. Blocked costs a reordering in and out, and so does oneDNN's own Winograd, with which
// benches compare (ours is in winograd.h).
enum class ConvLayout { ChannelsLast, Blocked, Winograd };

// The lengths and steps of a convolution and its two adjoints; x, w and y are the forward's.
struct ConvProblem {
    ConvGeometry geometry;
    Shape x, w, y;

    dnnl::memory::dims weight_dims() const;                    // with the axis of groups where there are some
    dnnl::memory::desc map_as(const Shape& map, ConvLayout layout) const;
    dnnl::memory::desc map_given(const Shape& map) const;      // channels last
    dnnl::memory::desc weight_any() const;
    dnnl::memory::desc weight_given() const;                   // row-major
    dnnl::memory::desc weight_exchanged() const;               // the same memory as [in, out], of windows of one tap
};

dnnl::convolution_forward::primitive_desc conv_forward_desc(const ConvProblem& problem, ConvLayout layout, const dnnl::memory::desc& bias,
                                                            const dnnl::primitive_attr& attributes, bool training);
dnnl::convolution_backward_data::primitive_desc conv_input_grad_desc(const ConvProblem& problem, ConvLayout layout);
dnnl::convolution_backward_weights::primitive_desc conv_weight_grad_desc(const ConvProblem& problem, ConvLayout layout);

// The layouts worth trying, best first; the last one always works.
std::vector<ConvLayout> conv_layouts(const ConvProblem& problem, ConvPass pass);

// Bytes of the reordered, perhaps transformed copy of the weight that a convolution or its input gradient keeps. `wide`: of a weight of 32 bits.
std::uint64_t kept_conv_bytes(const Kernel& kernel, const Shape& x, const Shape& weight, bool wide, const Shape& y);

// Calls `make` with each layout in turn until oneDNN knows how to.
template <typename T>
T first_known(const std::vector<ConvLayout>& layouts, const std::function<T(ConvLayout)>& make) {
    for (std::size_t i = 0; i + 1 < layouts.size(); ++i) {
        try {
            return make(layouts[i]);
        } catch (const dnnl::error& error) {
            if (error.status != dnnl_unimplemented) throw;
        }
    }
    return make(layouts.back());
}

}  // namespace gpu
