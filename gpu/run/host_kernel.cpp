#include "gpu/run/host_kernel.h"

#include "gpu/base/error.h"

namespace gpu {

void host_attention(const HostCall& call);
void host_attention_grad(const HostCall& call);
void host_attention_lse(const HostCall& call);
void host_conv_input_grad(const HostCall& call);
void host_conv_weight_grad(const HostCall& call);
void host_convolution(const HostCall& call);
void host_matmul(const HostCall& call);

HostKernel host_kernel(const std::string& name) {
    if (name == "attention") return host_attention;
    if (name == "attention_grad") return host_attention_grad;
    if (name == "attention_lse") return host_attention_lse;
    if (name == "conv_input_grad") return host_conv_input_grad;
    if (name == "conv_weight_grad") return host_conv_weight_grad;
    if (name == "convolution") return host_convolution;
    if (name == "matmul") return host_matmul;
    throw Error(ErrorCode::Failure, "host kernel: expected a kernel that is there, got {}", name);
}

}  // namespace gpu
