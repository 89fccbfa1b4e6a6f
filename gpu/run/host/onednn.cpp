#include "gpu/run/host/onednn.h"

#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/base/mapped_pages.h"
#include "gpu/run/host/scratch.h"
#include "gpu/run/host/threads.h"
#include "gpu/run/host/widen.h"
#include "gpu/run/leaf.h"

namespace gpu {

dnnl::engine& host_engine() {
    static dnnl::engine engine = [] {
        stop_spinning();
        return dnnl::engine(dnnl::engine::kind::cpu, 0);
    }();
    return engine;
}

dnnl::stream& host_stream() {
    thread_local dnnl::stream stream(host_engine());   // engines of several devices work at once
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

std::string layout_key(const dnnl::memory::desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
    const std::vector<std::uint8_t> blob = dnnl::memory::desc(desc).get_blob();
    return hash_bytes(std::as_bytes(std::span(blob))).hex();
#else
    return hash_bytes(std::as_bytes(std::span(&desc.data, 1))).hex();
#endif
}

dnnl::algorithm unary(const std::string& name) {
    using dnnl::algorithm;
    if (name == "relu") return algorithm::eltwise_relu;
    if (name == "tanh") return algorithm::eltwise_tanh;
    if (name == "sigmoid") return algorithm::eltwise_logistic;
    if (name == "swish") return algorithm::eltwise_swish;
    return algorithm::undef;
}

dnnl::algorithm binary(const std::string& name) {
    using dnnl::algorithm;
    return name == "add" ? algorithm::binary_add : name == "mul" ? algorithm::binary_mul : algorithm::undef;
}

float alpha_of(const std::string& name) { return name == "swish" ? 1 : 0; }

void append_unary(dnnl::post_ops& ops, const std::string& name) {
#if DNNL_VERSION_MAJOR >= 3
    ops.append_eltwise(unary(name), alpha_of(name), 0);
#else
    ops.append_eltwise(1, unary(name), alpha_of(name), 0);
#endif
}

dnnl::primitive_attr with(const dnnl::post_ops& ops) {
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(ops);
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
}

}  // namespace

dnnl::primitive_attr plain_attributes() { return with({}); }

dnnl::primitive_attr post_attributes(const HostCall& call, std::size_t channel_axis, bool allow_bias, int& bias) {
    dnnl::post_ops ops;
    bias = -1;
    for (std::size_t i = 0; i < call.post_ops.size(); ++i) {
        const PostOp& post = call.post_ops[i];
        if (unary(post.name) != dnnl::algorithm::undef) {
            append_unary(ops, post.name);
        } else if (post.name == "add" && i == 0 && allow_bias && is_vector(call.post_operands[post.operand], channel_axis)) {
            bias = post.operand;
        } else if (binary(post.name) != dnnl::algorithm::undef) {
            ops.append_binary(binary(post.name), post_desc(call.post_operands[post.operand], channel_axis));
        } else {
            throw Error(ErrorCode::Failure, "host kernel: expected a known post-operation, got {}", post.name);
        }
    }
    return with(ops);
}

HostPrimitive::HostPrimitive(dnnl::primitive primitive, const dnnl::memory::desc& scratchpad)
    : primitive_(std::move(primitive)), scratchpad_(scratchpad) {}

void HostPrimitive::add(Tensor tensor) {
    const bool same = tensor.given == tensor.wanted;
    if (!same) {
        // Left to itself a primitive that reorders holds its own working memory while it lives: for Winograd's weights as much as they are.
        const dnnl::reorder::primitive_desc made(host_engine(), tensor.is_output ? tensor.wanted : tensor.given, host_engine(),
                                                 tensor.is_output ? tensor.given : tensor.wanted, plain_attributes());
        tensor.reorder = dnnl::reorder(made);
        tensor.reorder_scratch = made.scratchpad_desc();
    }
    if (tensor.keep) tensor.key = "onednn:" + layout_key(tensor.given) + ":" + layout_key(tensor.wanted);
    tensors_.push_back(std::move(tensor));
}

void HostPrimitive::input(int argument, const dnnl::memory::desc& given, const dnnl::memory::desc& wanted, bool keep) {
    add({argument, given, wanted, false, keep, {}, {}, {}});
}

void HostPrimitive::output(int argument, const dnnl::memory::desc& given, const dnnl::memory::desc& wanted) {
    add({argument, given, wanted, true, false, {}, {}, {}});
}

void HostPrimitive::post_operands(int bias, std::size_t channel_axis, const dnnl::memory::desc& bias_desc, bool along) {
    post_ops_along_ = along;
    bias_ = bias;
    channel_axis_ = channel_axis;
    bias_desc_ = bias_desc;
}

namespace {

struct PackedWeight final : HostMade {
    explicit PackedWeight(const dnnl::memory::desc& desc) : memory(desc, host_engine()) { bytes = desc.get_size(); }
    dnnl::memory memory;
};

}  // namespace

bool HostPrimitive::is_kept(const Tensor& tensor, const HostOperand& operand) {
    return tensor.keep && operand.leaf && (tensor.reorder || !is_plain(operand));
}

dnnl::memory HostPrimitive::packed(const Tensor& tensor, const HostOperand& operand) const {
    const std::lock_guard lock(operand.leaf->mutex);
    std::shared_ptr<void>& kept = operand.leaf->derived[tensor.key];
    if (!kept) {
        const auto made = std::make_shared<PackedWeight>(tensor.wanted);
        const std::size_t wide_bytes = is_plain(operand) || !tensor.reorder ? 0 : HostScratch::padded(tensor.given.get_size());
        HostScratch scratch(wide_bytes + HostScratch::padded(tensor.reorder_scratch.get_size()));
        if (is_plain(operand)) {
            reorder(tensor, wrap(tensor.given, operand), made->memory, scratch.take(tensor.reorder_scratch.get_size()));
        } else if (!tensor.reorder) {
            widen_all(operand, static_cast<float*>(made->memory.get_data_handle()));
        } else {
            const dnnl::memory wide(tensor.given, host_engine(), scratch.take(tensor.given.get_size()));
            widen_all(operand, static_cast<float*>(wide.get_data_handle()));
            reorder(tensor, wide, made->memory, scratch.take(tensor.reorder_scratch.get_size()));
        }
        host_stream().wait();
        if (!is_plain(operand)) let_go(operand.leaf->host);
        kept = std::static_pointer_cast<HostMade>(made);
    }
    return static_cast<const PackedWeight&>(*std::static_pointer_cast<HostMade>(kept)).memory;
}

void HostPrimitive::reorder(const Tensor& tensor, const dnnl::memory& from, const dnnl::memory& to, std::byte* scratch) {
    std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    if (tensor.reorder_scratch.get_size() > 0) arguments[DNNL_ARG_SCRATCHPAD] = dnnl::memory(tensor.reorder_scratch, host_engine(), scratch);
    tensor.reorder.execute(host_stream(), arguments);
}

void HostPrimitive::run(const std::vector<const HostOperand*>& operands, const HostCall& call) const {
    std::size_t bytes = HostScratch::padded(scratchpad_.get_size());
    std::size_t reorders = 0;      // one after the other
    for (std::size_t i = 0; i < tensors_.size(); ++i)
        if (tensors_[i].reorder && !is_kept(tensors_[i], *operands[i])) {
            bytes += HostScratch::padded(tensors_[i].wanted.get_size());
            reorders = std::max(reorders, tensors_[i].reorder_scratch.get_size());
        }
    HostScratch scratch(bytes + HostScratch::padded(reorders));
    std::byte* reorder_scratch = scratch.take(reorders);
    dnnl::stream& stream = host_stream();
    std::unordered_map<int, dnnl::memory> arguments;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
        const Tensor& tensor = tensors_[i];
        dnnl::memory& argument = arguments[tensor.argument];
        if (is_kept(tensor, *operands[i])) {
            argument = packed(tensor, *operands[i]);
        } else if (!tensor.reorder) {
            argument = wrap(tensor.given, *operands[i]);
        } else {
            argument = dnnl::memory(tensor.wanted, host_engine(), scratch.take(tensor.wanted.get_size()));
            dnnl::memory given = wrap(tensor.given, *operands[i]);
            if (!tensor.is_output) reorder(tensor, given, argument, reorder_scratch);
        }
    }
    if (scratchpad_.get_size() > 0)
        arguments[DNNL_ARG_SCRATCHPAD] = dnnl::memory(scratchpad_, host_engine(), scratch.take(scratchpad_.get_size()));
    if (bias_ >= 0) arguments[DNNL_ARG_BIAS] = wrap(bias_desc_, call.post_operands[bias_]);
    int index = 0;
    for (const PostOp& post : call.post_ops) {
        if (!post_ops_along_) break;
        if (bias_ >= 0 && &post == &call.post_ops.front()) continue;   // an argument of its own
        if (post.operand >= 0) {
            const HostOperand& operand = call.post_operands[post.operand];
            arguments[DNNL_ARG_ATTR_MULTIPLE_POST_OP(index) | DNNL_ARG_SRC_1] = wrap(post_desc(operand, channel_axis_), operand);
        }
        ++index;
    }
    primitive_.execute(stream, arguments);
    for (std::size_t i = 0; i < tensors_.size(); ++i)
        if (tensors_[i].reorder && tensors_[i].is_output) {
            dnnl::memory given = wrap(tensors_[i].given, *operands[i]);
            reorder(tensors_[i], arguments.at(tensors_[i].argument), given, reorder_scratch);
        }
    stream.wait();
}

void run_post_ops(const HostCall& call, std::size_t channel_axis, std::size_t first) {
    const dnnl::memory::desc desc = strided(call.out);
    const dnnl::memory out = wrap(desc, call.out);
    for (std::size_t i = first; i < call.post_ops.size(); ++i) {
        const PostOp& post = call.post_ops[i];
        const dnnl::algorithm algorithm = post.operand >= 0 ? binary(post.name) : unary(post.name);
        if (post.operand < 0) {
#if DNNL_VERSION_MAJOR >= 3
            const dnnl::eltwise_forward::primitive_desc made(host_engine(), dnnl::prop_kind::forward_inference, algorithm, desc, desc, alpha_of(post.name), 0.f);
#else
            const dnnl::eltwise_forward::primitive_desc made({dnnl::prop_kind::forward_inference, algorithm, desc, alpha_of(post.name), 0.f}, host_engine());
#endif
            dnnl::eltwise_forward(made).execute(host_stream(), {{DNNL_ARG_SRC, out}, {DNNL_ARG_DST, out}});
            continue;
        }
        const HostOperand& operand = call.post_operands[post.operand];
        const dnnl::memory::desc other = post_desc(operand, channel_axis);
        dnnl::post_ops next;   // a rectifier or the like rides along
        const bool pair = i + 1 < call.post_ops.size() && call.post_ops[i + 1].operand < 0;
        if (pair) append_unary(next, call.post_ops[i + 1].name);
        dnnl::primitive_attr attributes;
        attributes.set_post_ops(next);
#if DNNL_VERSION_MAJOR >= 3
        const dnnl::binary::primitive_desc made(host_engine(), algorithm, desc, other, desc, attributes);
#else
        const dnnl::binary::primitive_desc made({algorithm, desc, other, desc}, attributes, host_engine());
#endif
        dnnl::binary(made).execute(host_stream(), {{DNNL_ARG_SRC_0, out}, {DNNL_ARG_SRC_1, wrap(other, operand)}, {DNNL_ARG_DST, out}});
        if (pair) ++i;
    }
    host_stream().wait();
}

dnnl::matmul::primitive_desc matmul_desc(const dnnl::memory::desc& a, const dnnl::memory::desc& b, const dnnl::memory::desc& c,
                                         const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
    return {host_engine(), a, b, c, attributes};
#else
    return {{a, b, c}, attributes, host_engine()};
#endif
}

void rethrow(const dnnl::error& error, const char* kernel) {
    if (error.status == dnnl_out_of_memory) throw Error(ErrorCode::OutOfMemory, "host kernel {}: {}", kernel, error.what());
    throw Error(ErrorCode::Failure, "host kernel {}: {}", kernel, error.what());
}

}  // namespace gpu
