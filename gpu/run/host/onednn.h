// Shared pieces of the kernels that oneDNN computes.
#pragma once

#include <dnnl.hpp>

#include "gpu/run/host_kernel.h"

namespace gpu {

dnnl::engine& host_engine();
dnnl::stream& host_stream();

dnnl::memory::desc strided(const HostOperand& operand);
dnnl::memory wrap(const dnnl::memory::desc& desc, const HostOperand& operand);

// Post-operations as attributes. A leading addition of a vector over `channel_axis` is taken out as the bias: its index
// into post_operands is stored in `bias`, which is -1 where there is none (or `allow_bias` is false).
dnnl::primitive_attr post_attributes(const HostCall& call, std::size_t channel_axis, bool allow_bias, int& bias);
// Attributes that do nothing but leave the working memory to us.
dnnl::primitive_attr plain_attributes();

// Turns dnnl::error into Error{Failure} or Error{OutOfMemory} that names the kernel.
[[noreturn]] void rethrow(const dnnl::error& error, const char* kernel);

// A primitive between the plan's memory and the layouts that it asks for. Tensors that lie otherwise are reordered through
// scratch memory; weights that are leaves are widened to F32 and reordered once, and kept with the leaf. Made once for a step; run() may be
// called by several threads.
class HostPrimitive {
public:
    HostPrimitive() = default;
    HostPrimitive(dnnl::primitive primitive, const dnnl::memory::desc& scratchpad);

    // In the order of run()'s operands. `argument` is DNNL_ARG_...
    void input(int argument, const dnnl::memory::desc& given, const dnnl::memory::desc& wanted, bool keep = false);
    void output(int argument, const dnnl::memory::desc& given, const dnnl::memory::desc& wanted);
    // What post_attributes() made of the call: the bias, and (`along`) the operands of binary post-operations.
    void post_operands(int bias, std::size_t channel_axis, const dnnl::memory::desc& bias_desc, bool along);

    void run(const std::vector<const HostOperand*>& operands, const HostCall& call) const;

private:
    struct Tensor {
        int argument = 0;
        dnnl::memory::desc given, wanted;
        bool is_output = false, keep = false;
        dnnl::reorder reorder;   // empty where the layouts agree
        dnnl::memory::desc reorder_scratch;
        std::string key;         // of the kept copy: layouts of one weight differ by the shapes that it meets
    };
    void add(Tensor tensor);
    // Whether the operand is taken as a copy that stays with its leaf: packed, or widened from fewer bits.
    static bool is_kept(const Tensor& tensor, const HostOperand& operand);
    dnnl::memory packed(const Tensor& tensor, const HostOperand& operand) const;
    static void reorder(const Tensor& tensor, const dnnl::memory& from, const dnnl::memory& to, std::byte* scratch);

    dnnl::primitive primitive_;
    dnnl::memory::desc scratchpad_;
    std::vector<Tensor> tensors_;
    bool post_ops_along_ = false;
    int bias_ = -1;
    std::size_t channel_axis_ = 1;
    dnnl::memory::desc bias_desc_;
};

// Post-operations from `first` on as passes of their own over call.out, for primitives that cannot take them along.
void run_post_ops(const HostCall& call, std::size_t channel_axis, std::size_t first);

// The two interface generations of oneDNN (2.x in Debian 12, 3.x later) differ in how primitives are described.
dnnl::matmul::primitive_desc matmul_desc(const dnnl::memory::desc& a, const dnnl::memory::desc& b, const dnnl::memory::desc& c,
                                         const dnnl::primitive_attr& attributes);

}  // namespace gpu
