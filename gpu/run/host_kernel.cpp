#include "gpu/run/host_kernel.h"

#include "gpu/base/error.h"
#include "gpu/run/host/conv.h"
#include "gpu/run/host/panels.h"
#include "gpu/run/host/widen.h"

namespace gpu {

void host_attention(const HostCall& call);
void host_attention_grad(const HostCall& call);
void host_attention_lse(const HostCall& call);
void host_conv_input_grad(const HostCall& call);
void host_conv_weight_grad(const HostCall& call);
void host_convolution(const HostCall& call);
void host_group_moments(const HostCall& call);
void host_matmul(const HostCall& call);

HostKernel host_kernel(const std::string& name) {
    if (name == "attention") return host_attention;
    if (name == "attention_grad") return host_attention_grad;
    if (name == "attention_lse") return host_attention_lse;
    if (name == "conv_input_grad") return host_conv_input_grad;
    if (name == "conv_weight_grad") return host_conv_weight_grad;
    if (name == "convolution") return host_convolution;
    if (name == "group_moments") return host_group_moments;
    if (name == "matmul") return host_matmul;
    throw Error(ErrorCode::Failure, "host kernel: expected a kernel that is there, got {}", name);
}

std::uint64_t kept_weight_bytes(const Kernel& kernel, const HostOperand& weight, const Shape& x, const Shape& y) {
    if (const auto panels = panel_problem(kernel, weight, x, y)) return panels->bytes();
    if (kernel.host == "convolution" || (kernel.host == "conv_input_grad" && is_plain(weight))) return kept_conv_bytes(kernel, x, weight.shape, is_plain(weight), y);
    // The weight of a linear layer is read transposed and packed; one that lies in rows is read as it lies unless it must be widened.
    if (kernel.host != "matmul" || (is_plain(weight) && weight.strides.back() == 1)) return 0;
    return static_cast<std::uint64_t>(element_count(weight.shape)) * sizeof(float);
}

}  // namespace gpu
