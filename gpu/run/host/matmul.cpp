// Matrix product by oneDNN, with any strides of its inputs.
#include "gpu/run/host/onednn.h"
#include "gpu/run/host/panels.h"
#include "gpu/run/host/widen.h"

namespace gpu {
namespace {

// oneDNN wants one of the two matrix axes to have stride 1; axes of length 1 may say so freely.
HostOperand tidy(HostOperand operand) {
    for (std::size_t i = 0; i < operand.shape.size(); ++i)
        if (operand.shape[i] == 1) operand.strides[i] = i + 1 < operand.shape.size() ? operand.strides[i + 1] * operand.shape[i + 1] : 1;
    return operand;
}

dnnl::memory::desc any(const HostOperand& operand) {
    return {{operand.shape.begin(), operand.shape.end()}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any};
}

// Where neither axis of the matrix has neighbours next to one another, oneDNN would multiply element by element: such an
// operand is brought into rows first.
dnnl::memory::desc readable(const HostOperand& operand) {
    if (operand.strides[1] == 1 || operand.strides[2] == 1) return strided(operand);
    return {{operand.shape.begin(), operand.shape.end()}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::abc};
}

std::shared_ptr<HostPrimitive> prepare(const HostCall& call, const HostOperand& a, const HostOperand& b) {
    int bias = -1;
    const dnnl::primitive_attr attributes = post_attributes(call, 2, false, bias);
    // The weight of a linear layer is read transposed and packed once: 171/144, 30/17 and 12/7 GFLOP/s for 77 x 768 x 320,
    // 2 x 320 x 1280 and 1 x 1280 x 1280 on one core. One that lies in rows is as fast as it lies.
    const bool pack = call.in[1].leaf && (b.strides[2] != 1 || !is_plain(b));
    const auto desc = matmul_desc(readable(a), pack ? any(b) : readable(b), strided(call.out), attributes);
    auto primitive = std::make_shared<HostPrimitive>(dnnl::matmul(desc), desc.scratchpad_desc());
    primitive->input(DNNL_ARG_SRC, strided(a), desc.src_desc());
    primitive->input(DNNL_ARG_WEIGHTS, strided(b), desc.weights_desc(), pack);
    primitive->output(DNNL_ARG_DST, strided(call.out), desc.dst_desc());
    primitive->post_operands(bias, 2, {}, true);
    return primitive;
}

void matmul_f32(const HostCall& call) {
    if (run_panels(call)) return;
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
    if (run_with_kept_weight(call, matmul_f32)) return;
    // Batches, rows of a, columns of b.
    run_widened(call, matmul_f32, {{0, {0, call.in[1].shape[0] == 1 ? -1 : 0}}, {1, {1, -1}}, {2, {-1, 2}}});
}

}  // namespace gpu
