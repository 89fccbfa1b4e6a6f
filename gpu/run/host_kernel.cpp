#include "gpu/run/host_kernel.h"

#include <chrono>
#include <cstring>

#include "gpu/base/error.h"
#include "gpu/run/host/onednn.h"

namespace gpu {

void host_conv2d(const HostCall& call);
void host_matmul(const HostCall& call);

HostKernel host_kernel(const std::string& name) {
    if (name == "conv2d") return host_conv2d;
    if (name == "matmul") return host_matmul;
    throw Error(ErrorCode::Failure, "host kernel: expected conv2d or matmul, got {}", name);
}

HostPeak measure_host_peak() {
    using Clock = std::chrono::steady_clock;
    const auto seconds = [](Clock::time_point since) { return std::chrono::duration<double>(Clock::now() - since).count(); };
    HostPeak peak;
    const std::int64_t n = 1024;
    const dnnl::memory::desc desc({n, n}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab);
    dnnl::memory a(desc, host_engine()), b(desc, host_engine()), c(desc, host_engine());
    std::memset(a.get_data_handle(), 0, desc.get_size());
    std::memset(b.get_data_handle(), 0, desc.get_size());
    const dnnl::matmul::primitive_desc product(dnnl::matmul::desc(desc, desc, desc), host_engine());
    const dnnl::matmul primitive(product);
    std::vector<char> from(64 << 20, 1), to(64 << 20, 2);
    for (int i = 0; i < 8; ++i) {
        auto start = Clock::now();
        primitive.execute(host_stream(), {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
        host_stream().wait();
        peak.gflops = std::max(peak.gflops, 2e-9 * static_cast<double>(n * n * n) / seconds(start));
        start = Clock::now();
        std::memcpy(to.data(), from.data(), from.size());
        peak.gbytes = std::max(peak.gbytes, 2e-9 * static_cast<double>(from.size()) / seconds(start));
    }
    return peak;
}

}  // namespace gpu
