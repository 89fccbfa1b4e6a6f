// Convolution by oneDNN: channels-last maps as they lie, weights packed once into the layout that it asks for.
#include "gpu/run/host/onednn.h"
#include "gpu/run/host/widen.h"

namespace gpu {
namespace {

struct State {
    dnnl::convolution_forward::primitive_desc desc;
    dnnl::convolution_forward primitive;
    dnnl::memory::desc weights_given;
    int bias = -1;
};

dnnl::memory packed_weights(const HostCall& call, const State& state) {
    const HostOperand& weights = call.in[1];
    const dnnl::memory given = wrap(state.weights_given, weights);
    const dnnl::memory::desc wanted = state.desc.weights_desc();
    if (wanted == state.weights_given) return given;
    const auto pack = [&] {
        dnnl::memory packed(wanted, host_engine());
        dnnl::reorder(given, packed).execute(host_stream(), const_cast<dnnl::memory&>(given), packed);
        host_stream().wait();
        return packed;
    };
    if (!weights.leaf) return pack();
    // Layouts of one weight differ by the shapes it meets; the packed size and layout name the cache entry.
    const std::string key = "onednn:" + layout_key(wanted);
    const std::lock_guard lock(weights.leaf->mutex);
    std::shared_ptr<void>& kept = weights.leaf->derived[key];
    if (!kept) kept = std::make_shared<dnnl::memory>(pack());
    return *std::static_pointer_cast<dnnl::memory>(kept);
}

std::shared_ptr<State> prepare(const HostCall& call) {
    using dnnl::memory;
    const std::int64_t stride = call.kernel.params[0], pad = call.kernel.params[1], dilation = call.kernel.params[2],
                       groups = call.kernel.params[3];
    const Shape& w = call.in[1].shape;
    memory::dims weight_dims(w.begin(), w.end());
    if (groups > 1) {
        weight_dims[0] /= groups;
        weight_dims.insert(weight_dims.begin(), groups);
    }
    auto state = std::make_shared<State>();
    state->weights_given = memory::desc(weight_dims, memory::data_type::f32,
                                        groups > 1 ? memory::format_tag::goihw : memory::format_tag::oihw);
    const memory::desc weights(weight_dims, memory::data_type::f32, memory::format_tag::any);
    const dnnl::primitive_attr attributes = post_attributes(call, 1, true, state->bias);
    const memory::desc bias = state->bias >= 0 ? memory::desc({w[0]}, memory::data_type::f32, memory::format_tag::x) : memory::desc();
    state->desc = conv2d_desc(strided(call.in[0]), weights, bias, strided(call.out), stride, pad, dilation, attributes);
    state->primitive = dnnl::convolution_forward(state->desc);
    return state;
}

void conv2d_f32(const HostCall& call) {
    try {
        if (!call.state) call.state = prepare(call);
        const State& state = *std::static_pointer_cast<State>(call.state);
        std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, wrap(state.desc.src_desc(), call.in[0])},
                                                        {DNNL_ARG_WEIGHTS, packed_weights(call, state)},
                                                        {DNNL_ARG_DST, wrap(state.desc.dst_desc(), call.out)}};
        if (state.bias >= 0) arguments[DNNL_ARG_BIAS] = wrap(state.desc.bias_desc(), call.post_operands[state.bias]);
        add_post_arguments(call, state.bias, arguments);
        state.primitive.execute(host_stream(), arguments);
        host_stream().wait();
    } catch (const dnnl::error& error) {
        rethrow(error, "conv2d");
    }
}

}  // namespace

void host_conv2d(const HostCall& call);
void host_conv2d(const HostCall& call) {
    if (is_f32(call)) return conv2d_f32(call);
    // Pictures, then channels of the result unless they come in groups.
    std::vector<HostSplit> splits{{0, {0, -1}}};
    if (call.kernel.params[3] == 1) splits.push_back({1, {-1, 0}});
    run_widened(call, conv2d_f32, splits);
}

}  // namespace gpu
