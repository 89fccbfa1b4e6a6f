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
void add_post_arguments(const HostCall& call, int bias, std::unordered_map<int, dnnl::memory>& arguments);

// The two interface generations of oneDNN (2.x in Debian 12, 3.x later) differ in how primitives are described.
dnnl::convolution_forward::primitive_desc conv2d_desc(const dnnl::memory::desc& x, const dnnl::memory::desc& weight,
                                                      const dnnl::memory::desc& bias, const dnnl::memory::desc& y,
                                                      std::int64_t stride, std::int64_t pad, std::int64_t dilation,
                                                      const dnnl::primitive_attr& attributes);
dnnl::matmul::primitive_desc matmul_desc(const dnnl::memory::desc& a, const dnnl::memory::desc& b, const dnnl::memory::desc& c,
                                         const dnnl::primitive_attr& attributes);
// Names a layout, for the keys of packed weights.
std::string layout_key(const dnnl::memory::desc& desc);

// Turns dnnl::error into Error{Failure} that names the kernel.
[[noreturn]] void rethrow(const dnnl::error& error, const char* kernel);

}  // namespace gpu
