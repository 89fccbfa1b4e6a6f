// The gradient of a convolution in its weight by oneDNN, where neither Winograd's transforms nor products of its taps serve better.
#include "gpu/run/host/conv.h"
#include "gpu/run/host/tap_products.h"
#include "gpu/run/host/widen.h"
#include "gpu/run/host/winograd.h"

namespace gpu {
namespace {

std::shared_ptr<HostPrimitive> prepare(const HostCall& call) {
    const ConvProblem problem{ConvGeometry::from_params(call.kernel.params), call.in[0].shape, call.out.shape, call.in[1].shape};
    const auto desc = first_known<dnnl::convolution_backward_weights::primitive_desc>(
        conv_layouts(problem, ConvPass::WeightGrad), [&](ConvLayout layout) { return conv_weight_grad_desc(problem, layout); });
    auto primitive = std::make_shared<HostPrimitive>(dnnl::convolution_backward_weights(desc), desc.scratchpad_desc());
    primitive->input(DNNL_ARG_SRC, problem.map_given(problem.x), desc.src_desc());
    primitive->input(DNNL_ARG_DIFF_DST, problem.map_given(problem.y), desc.diff_dst_desc());
    primitive->output(DNNL_ARG_DIFF_WEIGHTS, problem.weight_given(), desc.diff_weights_desc());
    return primitive;
}

void weight_grad_f32(const HostCall& call) {
    if (run_winograd(call, ConvPass::WeightGrad) || run_tap_products(call)) return;
    try {
        if (!call.state) call.state = prepare(call);
        std::static_pointer_cast<HostPrimitive>(call.state)->run({&call.in[0], &call.in[1], &call.out}, call);
    } catch (const dnnl::error& error) {
        rethrow(error, "conv_weight_grad");
    }
}

}  // namespace

void host_conv_weight_grad(const HostCall& call);
void host_conv_weight_grad(const HostCall& call) {
    if (is_f32(call)) return weight_grad_f32(call);
    // Channels of dy, then of x, unless they come in groups.
    std::vector<HostSplit> splits;
    if (ConvGeometry::from_params(call.kernel.params).groups == 1) splits = {{0, {-1, 1}, true}, {1, {1, -1}, true}};
    run_widened(call, weight_grad_f32, splits);
}

}  // namespace gpu
