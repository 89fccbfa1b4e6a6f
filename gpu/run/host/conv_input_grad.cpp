// The gradient of a convolution in its map (transposed convolution) by oneDNN.
#include <optional>

#include "gpu/run/host/conv.h"
#include "gpu/run/host/parallel.h"
#include "gpu/run/host/scratch.h"
#include "gpu/run/host/widen.h"
#include "gpu/run/host/winograd.h"

namespace gpu {
namespace {

struct State {
    HostPrimitive primitive;
    bool turned = false;      // reads a turned copy of the weight
};

constexpr std::uint64_t most_turned = std::uint64_t{4} << 20;      // bytes of a weight that is turned in each call

// Without strides the gradient is a convolution too, of the weight with its channels exchanged and its taps in reverse, and oneDNN 2.6 has
// newer kernels for the forward, which read maps as they lie.
std::optional<ConvProblem> as_forward(const ConvProblem& p) {
    const ConvGeometry& g = p.geometry;
    ConvProblem forward{g, p.y, p.w, p.x};
    std::swap(forward.w[0], forward.w[1]);
    if (g.groups != 1) return {};
    for (std::size_t d = 0; d < g.rank(); ++d) {
        const std::int64_t reach = (p.w[d + 2] - 1) * g.dilation[d];
        forward.geometry.before[d] = reach - g.before[d];
        forward.geometry.after[d] = p.x[d + 2] - p.y[d + 2] + reach - forward.geometry.before[d];
        if (g.stride[d] != 1 || forward.geometry.before[d] < 0 || forward.geometry.after[d] < 0) return {};
    }
    return forward;
}

// [out, in, taps] to [in, out, taps from the last to the first].
void turn(const float* weight, const Shape& shape, float* to) {
    const std::int64_t taps = element_count(spatial(shape));
    parallel_walk(shape[1], element_count(shape), [&](std::int64_t c) {
        for (std::int64_t o = 0; o < shape[0]; ++o)
            for (std::int64_t t = 0; t < taps; ++t) to[(c * shape[0] + o) * taps + taps - 1 - t] = weight[(o * shape[1] + c) * taps + t];
    });
}

std::shared_ptr<State> prepare(const HostCall& call) {
    const ConvProblem problem{ConvGeometry::from_params(call.kernel.params), call.out.shape, call.in[1].shape, call.in[0].shape};
    const bool one_tap = element_count(spatial(problem.w)) == 1;
    if (const auto forward = as_forward(problem); forward && (one_tap || element_count(problem.w) * sizeof(float) <= most_turned)) {
        const auto desc = first_known<dnnl::convolution_forward::primitive_desc>(
            conv_layouts(*forward, ConvPass::Forward), [&](ConvLayout layout) { return conv_forward_desc(*forward, layout, {}, plain_attributes(), false); });
        auto state = std::make_shared<State>(State{HostPrimitive(dnnl::convolution_forward(desc), desc.scratchpad_desc()), !one_tap});
        state->primitive.input(DNNL_ARG_SRC, problem.map_given(problem.y), desc.src_desc());
        state->primitive.input(DNNL_ARG_WEIGHTS, one_tap ? problem.weight_exchanged() : forward->weight_given(), desc.weights_desc(), true);
        state->primitive.output(DNNL_ARG_DST, problem.map_given(problem.x), desc.dst_desc());
        return state;
    }
    const auto desc = first_known<dnnl::convolution_backward_data::primitive_desc>(
        conv_layouts(problem, ConvPass::InputGrad), [&](ConvLayout layout) { return conv_input_grad_desc(problem, layout); });
    auto state = std::make_shared<State>(State{HostPrimitive(dnnl::convolution_backward_data(desc), desc.scratchpad_desc())});
    state->primitive.input(DNNL_ARG_DIFF_DST, problem.map_given(problem.y), desc.diff_dst_desc());
    state->primitive.input(DNNL_ARG_WEIGHTS, problem.weight_given(), desc.weights_desc(), true);
    state->primitive.output(DNNL_ARG_DIFF_SRC, problem.map_given(problem.x), desc.diff_src_desc());
    return state;
}

void input_grad_f32(const HostCall& call) {
    if (run_winograd(call, ConvPass::InputGrad)) return;
    try {
        if (!call.state) call.state = prepare(call);
        const State& state = *std::static_pointer_cast<State>(call.state);
        if (!state.turned) return state.primitive.run({&call.in[0], &call.in[1], &call.out}, call);
        HostOperand weight = call.in[1];
        const std::size_t bytes = static_cast<std::size_t>(element_count(weight.shape)) * sizeof(float);
        HostScratch scratch(bytes);
        auto* const turned = reinterpret_cast<float*>(scratch.take(bytes));
        turn(reinterpret_cast<const float*>(weight.data), weight.shape, turned);
        weight.data = reinterpret_cast<std::byte*>(turned);
        weight.leaf = nullptr;
        state.primitive.run({&call.in[0], &weight, &call.out}, call);
    } catch (const dnnl::error& error) {
        rethrow(error, "conv_input_grad");
    }
}

}  // namespace

void host_conv_input_grad(const HostCall& call);
void host_conv_input_grad(const HostCall& call) {
    if (is_f32(call)) return input_grad_f32(call);
    // Pictures, then channels of the result unless they come in groups.
    std::vector<HostSplit> splits{{0, {0, -1}}};
    if (ConvGeometry::from_params(call.kernel.params).groups == 1) splits.push_back({1, {-1, 1}, true});
    run_widened(call, input_grad_f32, splits);
}

}  // namespace gpu
