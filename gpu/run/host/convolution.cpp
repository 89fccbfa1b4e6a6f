// Convolution by oneDNN, where neither panels nor Winograd's transforms serve better.
#include "gpu/run/host/conv.h"
#include "gpu/run/host/panels.h"
#include "gpu/run/host/widen.h"
#include "gpu/run/host/winograd.h"

namespace gpu {
namespace {

struct State {
    HostPrimitive primitive;
    std::size_t later = SIZE_MAX;   // first post-operation that gets a pass of its own
};

std::shared_ptr<State> prepare(const HostCall& call) {
    const ConvProblem problem{ConvGeometry::from_params(call.kernel.params), call.in[0].shape, call.in[1].shape, call.out.shape};
    int bias = -1;
    const dnnl::primitive_attr attributes = post_attributes(call, 1, true, bias);
    const dnnl::memory::desc bias_desc =
        bias >= 0 ? dnnl::memory::desc({problem.w[0]}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::x) : dnnl::memory::desc();
    auto state = std::make_shared<State>();
    const auto make = [&](ConvLayout layout) {
        // Operands of post-operations lie channels last; primitives of other layouts leave them to a pass of their own.
        const bool along = layout == ConvLayout::ChannelsLast || call.post_operands.size() == (bias >= 0 ? 1u : 0u);
        state->later = along ? SIZE_MAX : bias >= 0 ? 1 : 0;
        return conv_forward_desc(problem, layout, bias_desc, along ? attributes : plain_attributes(), false);
    };
    const auto desc = first_known<dnnl::convolution_forward::primitive_desc>(conv_layouts(problem, ConvPass::Forward), make);
    HostPrimitive primitive(dnnl::convolution_forward(desc), desc.scratchpad_desc());
    primitive.input(DNNL_ARG_SRC, problem.map_given(problem.x), desc.src_desc());
    primitive.input(DNNL_ARG_WEIGHTS, problem.weight_given(), desc.weights_desc(), true);
    primitive.output(DNNL_ARG_DST, problem.map_given(problem.y), desc.dst_desc());
    if (bias >= 0 || state->later == SIZE_MAX) primitive.post_operands(bias, 1, bias_desc, state->later == SIZE_MAX);
    state->primitive = std::move(primitive);
    return state;
}

void convolution_f32(const HostCall& call) {
    if (run_panels(call) || run_winograd(call, ConvPass::Forward)) return;
    try {
        if (!call.state) call.state = prepare(call);
        const State& state = *std::static_pointer_cast<State>(call.state);
        state.primitive.run({&call.in[0], &call.in[1], &call.out}, call);
        if (state.later != SIZE_MAX) run_post_ops(call, 1, state.later);
    } catch (const dnnl::error& error) {
        rethrow(error, "convolution");
    }
}

}  // namespace

void host_convolution(const HostCall& call);
void host_convolution(const HostCall& call) {
    if (is_f32(call)) return convolution_f32(call);
    if (run_with_kept_weight(call, convolution_f32)) return;
    // Pictures, then channels of the result unless they come in groups.
    std::vector<HostSplit> splits{{0, {0, -1}}};
    if (ConvGeometry::from_params(call.kernel.params).groups == 1) splits.push_back({1, {-1, 0}, true});
    run_widened(call, convolution_f32, splits);
}

}  // namespace gpu
