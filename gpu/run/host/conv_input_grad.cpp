// The gradient of a convolution in its map (transposed convolution) by oneDNN.
#include "gpu/run/host/conv.h"
#include "gpu/run/host/widen.h"
#include "gpu/run/host/winograd.h"

namespace gpu {
namespace {

std::shared_ptr<HostPrimitive> prepare(const HostCall& call) {
    const ConvProblem problem{ConvGeometry::from_params(call.kernel.params), call.out.shape, call.in[1].shape, call.in[0].shape};
    const auto desc = first_known<dnnl::convolution_backward_data::primitive_desc>(
        conv_layouts(problem, ConvPass::InputGrad), [&](ConvLayout layout) { return conv_input_grad_desc(problem, layout); });
    auto primitive = std::make_shared<HostPrimitive>(dnnl::convolution_backward_data(desc), desc.scratchpad_desc());
    primitive->input(DNNL_ARG_DIFF_DST, problem.map_given(problem.y), desc.diff_dst_desc());
    primitive->input(DNNL_ARG_WEIGHTS, problem.weight_given(), desc.weights_desc(), true);
    primitive->output(DNNL_ARG_DIFF_SRC, problem.map_given(problem.x), desc.diff_src_desc());
    return primitive;
}

void input_grad_f32(const HostCall& call) {
    if (run_winograd(call, ConvPass::InputGrad)) return;
    try {
        if (!call.state) call.state = prepare(call);
        std::static_pointer_cast<HostPrimitive>(call.state)->run({&call.in[0], &call.in[1], &call.out}, call);
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
