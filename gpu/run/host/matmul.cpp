// Matrix product by oneDNN, with any strides of its inputs.
#include "gpu/run/host/onednn.h"
#include "gpu/run/host/widen.h"

namespace gpu {
namespace {

// oneDNN wants one of the two matrix axes to have stride 1; axes of length 1 may say so freely.
HostOperand tidy(HostOperand operand) {
    for (std::size_t i = 0; i < operand.shape.size(); ++i)
        if (operand.shape[i] == 1) operand.strides[i] = i + 1 < operand.shape.size() ? operand.strides[i + 1] * operand.shape[i + 1] : 1;
    return operand;
}

std::shared_ptr<HostPrimitive> prepare(const HostCall& call, const HostOperand& a, const HostOperand& b) {
    int bias = -1;
    const dnnl::primitive_attr attributes = post_attributes(call, 2, false, bias);
    const dnnl::memory::desc given = strided(b);
    const dnnl::memory::desc any(given.dims(), dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
    // A weight is packed once; what is computed lies as it lies.
    const auto desc = matmul_desc(strided(a), call.in[1].leaf ? any : given, strided(call.out), attributes);
    auto primitive = std::make_shared<HostPrimitive>(dnnl::matmul(desc), desc.scratchpad_desc());
    primitive->input(DNNL_ARG_SRC, strided(a), desc.src_desc());
    primitive->input(DNNL_ARG_WEIGHTS, given, desc.weights_desc(), true);
    primitive->output(DNNL_ARG_DST, strided(call.out), desc.dst_desc());
    primitive->post_operands(bias, 2, {}, true);
    return primitive;
}

void matmul_f32(const HostCall& call) {
    try {
        const HostOperand a = tidy(call.in[0]), b = tidy(call.in[1]);
        if (!call.state) call.state = prepare(call, a, b);
        std::static_pointer_cast<HostPrimitive>(call.state)->run({&a, &b, &call.out}, call);
    } catch (const dnnl::error& error) {
        rethrow(error, "matmul");
    }
}

}  // namespace

void host_matmul(const HostCall& call);
void host_matmul(const HostCall& call) {
    if (is_f32(call)) return matmul_f32(call);
    // Batches, rows of a, columns of b.
    run_widened(call, matmul_f32, {{0, {0, call.in[1].shape[0] == 1 ? -1 : 0}}, {1, {1, -1}}, {2, {-1, 2}}});
}

}  // namespace gpu
