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

// Turns dnnl::error into Error{Failure} that names the kernel.
[[noreturn]] void rethrow(const dnnl::error& error, const char* kernel);

}  // namespace gpu
