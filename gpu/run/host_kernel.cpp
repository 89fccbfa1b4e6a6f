#include "gpu/run/host_kernel.h"

#include "gpu/base/error.h"

namespace gpu {

void host_conv2d(const HostCall& call);
void host_matmul(const HostCall& call);

HostKernel host_kernel(const std::string& name) {
    if (name == "conv2d") return host_conv2d;
    if (name == "matmul") return host_matmul;
    throw Error(ErrorCode::Failure, "host kernel: expected conv2d or matmul, got {}", name);
}

}  // namespace gpu
