#include "gpu/run/host/conv.h"

#include <algorithm>

#include "gpu/run/host/winograd.h"

namespace gpu {
namespace {

using dnnl::memory;

memory::dims dims_of(const Shape& shape) { return {shape.begin(), shape.end()}; }

memory::dims less_one(const Shape& dilation) {
    memory::dims result;
    for (const std::int64_t step : dilation) result.push_back(step - 1);
    return result;
}

// A convolution's steps as oneDNN writes them.
struct Steps {
    memory::dims stride, dilation, before, after;
};
Steps steps_of(const ConvGeometry& g) { return {dims_of(g.stride), less_one(g.dilation), dims_of(g.before), dims_of(g.after)}; }

memory::desc dense(const Shape& shape, const Order& order) {
    return {dims_of(shape), memory::data_type::f32, dims_of(dense_strides(shape, order))};
}

dnnl::algorithm algorithm_of(ConvLayout layout) {
    return layout == ConvLayout::Winograd ? dnnl::algorithm::convolution_winograd : dnnl::algorithm::convolution_direct;
}

}  // namespace

memory::dims ConvProblem::weight_dims() const {
    memory::dims dims = dims_of(w);
    if (geometry.groups > 1) {
        dims[0] /= geometry.groups;
        dims.insert(dims.begin(), geometry.groups);
    }
    return dims;
}

memory::desc ConvProblem::map_given(const Shape& map) const { return dense(map, channels_last(map.size())); }

memory::desc ConvProblem::map_as(const Shape& map, ConvLayout layout) const {
    if (layout == ConvLayout::ChannelsLast) return map_given(map);
    return {dims_of(map), memory::data_type::f32, memory::format_tag::any};
}

memory::desc ConvProblem::weight_any() const { return {weight_dims(), memory::data_type::f32, memory::format_tag::any}; }

memory::desc ConvProblem::weight_given() const {
    const memory::dims dims = weight_dims();
    return dense(Shape(dims.begin(), dims.end()), row_major(dims.size()));
}

memory::desc ConvProblem::weight_exchanged() const {
    memory::dims dims = weight_dims(), strides(dims.size(), 1);
    std::swap(dims[0], dims[1]);
    strides[1] = dims[0];
    return {dims, memory::data_type::f32, strides};
}

dnnl::convolution_forward::primitive_desc conv_forward_desc(const ConvProblem& p, ConvLayout layout, const memory::desc& bias,
                                                            const dnnl::primitive_attr& attributes, bool training) {
    const auto kind = training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    const memory::desc x = p.map_as(p.x, layout), y = p.map_as(p.y, layout);
    const auto [stride, dilation, before, after] = steps_of(p.geometry);
#if DNNL_VERSION_MAJOR >= 3
    return {host_engine(), kind, algorithm_of(layout), x, p.weight_any(), bias, y, stride, dilation, before, after, attributes};
#else
    return {{kind, algorithm_of(layout), x, p.weight_any(), bias, y, stride, dilation, before, after}, attributes, host_engine()};
#endif
}

dnnl::convolution_backward_data::primitive_desc conv_input_grad_desc(const ConvProblem& p, ConvLayout layout) {
    const auto forward = conv_forward_desc(p, layout, {}, plain_attributes(), true);
    const memory::desc x = p.map_as(p.x, layout), y = p.map_as(p.y, layout);
    const auto [stride, dilation, before, after] = steps_of(p.geometry);
#if DNNL_VERSION_MAJOR >= 3
    return {host_engine(), algorithm_of(layout), x, p.weight_any(), y, stride, dilation, before, after, forward, plain_attributes()};
#else
    return {{algorithm_of(layout), x, p.weight_any(), y, stride, dilation, before, after}, plain_attributes(), host_engine(), forward};
#endif
}

dnnl::convolution_backward_weights::primitive_desc conv_weight_grad_desc(const ConvProblem& p, ConvLayout layout) {
    const auto forward = conv_forward_desc(p, layout, {}, plain_attributes(), true);
    const memory::desc x = p.map_as(p.x, layout), y = p.map_as(p.y, layout);
    const auto [stride, dilation, before, after] = steps_of(p.geometry);
#if DNNL_VERSION_MAJOR >= 3
    return {host_engine(), algorithm_of(layout), x, p.weight_any(), y, stride, dilation, before, after, forward, plain_attributes()};
#else
    return {{algorithm_of(layout), x, p.weight_any(), y, stride, dilation, before, after}, plain_attributes(), host_engine(), forward};
#endif
}

std::uint64_t kept_conv_bytes(const Kernel& kernel, const Shape& x, const Shape& weight, bool wide, const Shape& y) {
    const ConvPass pass = kernel.host == "convolution" ? ConvPass::Forward : ConvPass::InputGrad;
    const bool forward = pass == ConvPass::Forward;
    const ConvProblem problem{ConvGeometry::from_params(kernel.params), forward ? x : y, weight, forward ? y : x};
    const int side = winograd_side(problem, pass, wide);
    return side > 0 ? winograd_weight_bytes(problem, side) : static_cast<std::uint64_t>(element_count(weight)) * sizeof(float);
}

std::vector<ConvLayout> conv_layouts(const ConvProblem& p, ConvPass pass) {
    std::vector<ConvLayout> layouts;
    const std::int64_t narrow = std::min(p.w[0], p.w[1]), pixels = element_count(p.y) / p.y[1];
    const bool dense_channels = p.geometry.groups == 1 && narrow >= 16;
    // Few pixels under many weights: the blocked layout's kernels reuse weights better (1280 channels 8x8: 64/99).
    // oneDNN 2.6 has its newer kernels for channels last in the forward only: the gradient in the map was 63/171 and
    // 116/197 GFLOP/s channels last / blocked for 64 and 128 channels.
    if (dense_channels && (pass == ConvPass::InputGrad || pixels <= 128)) layouts.push_back(ConvLayout::Blocked);
    layouts.push_back(ConvLayout::ChannelsLast);
    return layouts;
}

}  // namespace gpu
