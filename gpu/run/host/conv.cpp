#include "gpu/run/host/conv.h"

#include <algorithm>

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

// F(4x4, 3x3) of Lavin and Gray 2016 does a quarter of the multiplications on transformed maps and weights: it pays from about
// 48 tiles on where the transformed weights stay. Measured on one core of a Xeon with AVX-512, oneDNN 2.6, GFLOP/s of the direct sum, best
// direct layout / Winograd with both reorderings (forward; the adjoints are alike):
//   batch 32, 64 channels 16x16: 187/287; 128 channels 8x8: 202/299; 192 channels 4x4 (32 tiles): 187/176;
//   320 channels 64x64: 137/342; 640 channels 32x32: 84/210; 1280 channels 8x8 (4 tiles): 99/22; 16 channels 64x64: 94/17.
// Relative L2 error 2e-6 at the most, against 1e-6 of the direct sum. oneDNN transforms weights one number at a time, 0.4 us for the
// nine of two channels: weights that change at every step, as in training, take more than they save below some thousand pixels.
bool winograd_pays(const ConvProblem& p, bool weight_stays) {
    const ConvGeometry& g = p.geometry;
    const auto all = [](const Shape& list, std::int64_t value) { return std::all_of(list.begin(), list.end(), [&](auto i) { return i == value; }); };
    if (g.rank() != 2 || g.groups != 1 || !all(spatial(p.w), 3) || !all(g.stride, 1) || !all(g.dilation, 1)) return false;
    const auto padded = [](const Shape& list) { return list[0] >= 0 && list[0] <= 1 && list[1] == 1; };      // a band of rows has none at its inner borders
    if (!padded(g.before) || !padded(g.after)) return false;
    const std::int64_t tiles = p.y[0] * ((p.y[2] + 3) / 4) * ((p.y[3] + 3) / 4);
    return std::min(p.w[0], p.w[1]) >= 32 && tiles >= (weight_stays ? 48 : 512);
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

std::uint64_t kept_conv_bytes(const Kernel& kernel, const Shape& x, const Shape& weight, const Shape& y) {
    const ConvPass pass = kernel.host == "convolution" ? ConvPass::Forward : ConvPass::InputGrad;
    const ConvGeometry geometry = ConvGeometry::from_params(kernel.params);
    const ConvProblem problem = pass == ConvPass::Forward ? ConvProblem{geometry, x, weight, y} : ConvProblem{geometry, y, weight, x};
    const std::uint64_t bytes = static_cast<std::uint64_t>(element_count(weight)) * sizeof(float);
    if (pass != ConvPass::Forward || conv_layouts(problem, pass, true).front() != ConvLayout::Winograd) return bytes;
    // The forward's Winograd keeps the weights transformed: 6 x 6 or 4 x 4 numbers for 3 x 3, as oneDNN judges the processor's
    // caches. Not every processor has it.
    try {
        return conv_forward_desc(problem, ConvLayout::Winograd, {}, plain_attributes(), false).weights_desc().get_size();
    } catch (const dnnl::error&) {
        return bytes;
    }
}

std::vector<ConvLayout> conv_layouts(const ConvProblem& p, ConvPass pass, bool weight_stays) {
    std::vector<ConvLayout> layouts;
    if (winograd_pays(p, weight_stays)) layouts.push_back(ConvLayout::Winograd);
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
