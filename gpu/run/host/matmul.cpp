// Matrix product by oneDNN, with any strides of its inputs.
#include "gpu/run/host/onednn.h"
#include "gpu/run/host/widen.h"

namespace gpu {
namespace {

struct State {
    dnnl::matmul::primitive_desc desc;
    dnnl::matmul primitive;
    int bias = -1;
};

// oneDNN wants one of the two matrix axes to have stride 1; axes of length 1 may say so freely.
HostOperand tidy(HostOperand operand) {
    for (std::size_t i = 0; i < operand.shape.size(); ++i)
        if (operand.shape[i] == 1) operand.strides[i] = i + 1 < operand.shape.size() ? operand.strides[i + 1] * operand.shape[i + 1] : 1;
    return operand;
}

void matmul_f32(const HostCall& call) {
    try {
        const HostOperand a = tidy(call.in[0]), b = tidy(call.in[1]);
        if (!call.state) {
            auto state = std::make_shared<State>();
            const dnnl::primitive_attr attributes = post_attributes(call, 2, false, state->bias);
            state->desc = matmul_desc(strided(a), strided(b), strided(call.out), attributes);
            state->primitive = dnnl::matmul(state->desc);
            call.state = state;
        }
        const State& state = *std::static_pointer_cast<State>(call.state);
        std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, wrap(state.desc.src_desc(), a)},
                                                        {DNNL_ARG_WEIGHTS, wrap(state.desc.weights_desc(), b)},
                                                        {DNNL_ARG_DST, wrap(state.desc.dst_desc(), call.out)}};
        add_post_arguments(call, state.bias, arguments);
        state.primitive.execute(host_stream(), arguments);
        host_stream().wait();
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
