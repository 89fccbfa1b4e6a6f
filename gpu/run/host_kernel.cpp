#include "gpu/run/host_kernel.h"

#include "gpu/base/error.h"

namespace gpu {

void host_attention(const HostCall& call);
void host_attention_grad(const HostCall& call);
void host_attention_lse(const HostCall& call);
void host_conv2d(const HostCall& call);
void host_matmul(const HostCall& call);

HostKernel host_kernel(const std::string& name) {
    if (name == "attention") return host_attention;
    if (name == "attention_grad") return host_attention_grad;
    if (name == "attention_lse") return host_attention_lse;
    if (name == "conv2d") return host_conv2d;
    if (name == "matmul") return host_matmul;
    throw Error(ErrorCode::Failure, "host kernel: expected attention, attention_grad, attention_lse, conv2d or matmul, got {}", name);
}

}  // namespace gpu
