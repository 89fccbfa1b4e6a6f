#include "gpu/run/host/onednn.h"

#include "gpu/base/error.h"

namespace gpu {

dnnl::engine& host_engine() {
    static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

dnnl::stream& host_stream() {
    static dnnl::stream stream(host_engine());
    return stream;
}

dnnl::memory::desc strided(const HostOperand& operand) {
    return {dnnl::memory::dims(operand.shape.begin(), operand.shape.end()), dnnl::memory::data_type::f32,
            dnnl::memory::dims(operand.strides.begin(), operand.strides.end())};
}

dnnl::memory wrap(const dnnl::memory::desc& desc, const HostOperand& operand) { return {desc, host_engine(), operand.data}; }

namespace {

bool is_vector(const HostOperand& operand, std::size_t axis) {
    for (std::size_t i = 0; i < operand.shape.size(); ++i)
        if (i != axis && operand.shape[i] != 1 && operand.strides[i] != 0) return false;
    return true;
}

// The operand as oneDNN wants it for a binary post-operation: broadcast axes have length 1.
dnnl::memory::desc post_desc(const HostOperand& operand, std::size_t channel_axis) {
    if (!is_vector(operand, channel_axis)) return strided(operand);
    dnnl::memory::dims dims(operand.shape.size(), 1), strides(operand.shape.size(), operand.shape[channel_axis]);
    dims[channel_axis] = operand.shape[channel_axis];
    strides[channel_axis] = 1;
    return {dims, dnnl::memory::data_type::f32, strides};
}

}  // namespace

dnnl::primitive_attr post_attributes(const HostCall& call, std::size_t channel_axis, bool allow_bias, int& bias) {
    using dnnl::algorithm;
    dnnl::post_ops ops;
    bias = -1;
    const auto append = [&](algorithm kind, float alpha) {
#if DNNL_VERSION_MAJOR >= 3
        ops.append_eltwise(kind, alpha, 0);
#else
        ops.append_eltwise(1, kind, alpha, 0);
#endif
    };
    for (std::size_t i = 0; i < call.post_ops.size(); ++i) {
        const PostOp& post = call.post_ops[i];
        if (post.name == "relu") {
            append(algorithm::eltwise_relu, 0);
        } else if (post.name == "tanh") {
            append(algorithm::eltwise_tanh, 0);
        } else if (post.name == "sigmoid") {
            append(algorithm::eltwise_logistic, 0);
        } else if (post.name == "swish") {
            append(algorithm::eltwise_swish, 1);
        } else if (post.name == "add" && i == 0 && allow_bias && is_vector(call.post_operands[post.operand], channel_axis)) {
            bias = post.operand;
        } else if (post.name == "add" || post.name == "mul") {
            ops.append_binary(post.name == "add" ? algorithm::binary_add : algorithm::binary_mul,
                              post_desc(call.post_operands[post.operand], channel_axis));
        } else {
            throw Error(ErrorCode::Failure, "host kernel: expected a known post-operation, got {}", post.name);
        }
    }
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(ops);
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::library);
    return attributes;
}

void add_post_arguments(const HostCall& call, int bias, std::unordered_map<int, dnnl::memory>& arguments) {
    int index = 0;
    for (const PostOp& post : call.post_ops) {
        if (bias >= 0 && &post == &call.post_ops.front()) continue;   // an argument of its own
        if (post.operand >= 0) {
            const HostOperand& operand = call.post_operands[post.operand];
            arguments[DNNL_ARG_ATTR_MULTIPLE_POST_OP(index) | DNNL_ARG_SRC_1] =
                wrap(post_desc(operand, operand.shape.size() == 4 ? 1 : operand.shape.size() - 1), operand);
        }
        ++index;
    }
}

dnnl::convolution_forward::primitive_desc conv2d_desc(const dnnl::memory::desc& x, const dnnl::memory::desc& weight,
                                                      const dnnl::memory::desc& bias, const dnnl::memory::desc& y,
                                                      std::int64_t stride, std::int64_t pad, std::int64_t dilation,
                                                      const dnnl::primitive_attr& attributes) {
    const dnnl::memory::dims strides{stride, stride}, pads{pad, pad}, dilations{dilation - 1, dilation - 1};
    constexpr auto kind = dnnl::prop_kind::forward_inference;
    constexpr auto algorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
    return {host_engine(), kind, algorithm, x, weight, bias, y, strides, dilations, pads, pads, attributes};
#else
    return {{kind, algorithm, x, weight, bias, y, strides, dilations, pads, pads}, attributes, host_engine()};
#endif
}

dnnl::matmul::primitive_desc matmul_desc(const dnnl::memory::desc& a, const dnnl::memory::desc& b, const dnnl::memory::desc& c,
                                         const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
    return {host_engine(), a, b, c, attributes};
#else
    return {{a, b, c}, attributes, host_engine()};
#endif
}

std::string layout_key(const dnnl::memory::desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
    const std::vector<std::uint8_t> blob = dnnl::memory::desc(desc).get_blob();
    return hash_bytes(std::as_bytes(std::span(blob))).hex();
#else
    return hash_bytes(std::as_bytes(std::span(&desc.data, 1))).hex();
#endif
}

void rethrow(const dnnl::error& error, const char* kernel) {
    if (error.status == dnnl_out_of_memory) throw Error(ErrorCode::OutOfMemory, "host kernel {}: {}", kernel, error.what());
    throw Error(ErrorCode::Failure, "host kernel {}: {}", kernel, error.what());
}

}  // namespace gpu
