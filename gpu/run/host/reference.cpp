// What oneDNN reaches by itself, with every layout of its own choice: the yardstick of `heddle bench`.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>

#include "gpu/run/host/onednn.h"

namespace gpu {
namespace {

using Memory = dnnl::memory;
using Clock = std::chrono::steady_clock;

Memory zeroed(const Memory::desc& desc) {
    Memory result(desc, host_engine());
    std::memset(result.get_data_handle(), 0, desc.get_size());
    return result;
}

double best_seconds(const std::function<void()>& run, int repeats) {
    double best = 1e9;
    for (int i = 0; i <= repeats; ++i) {
        const Clock::time_point start = Clock::now();
        run();
        if (i > 0) best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
    }
    return best;
}

Memory::desc any(const Shape& shape) { return {{shape.begin(), shape.end()}, Memory::data_type::f32, Memory::format_tag::any}; }

}  // namespace

double onednn_conv2d_seconds(const Shape& x, const Shape& weight, const Shape& y, int stride, int pad, int repeats) {
    const auto desc = conv2d_desc(any(x), any(weight), Memory::desc(), any(y), stride, pad, 1, dnnl::primitive_attr());
    Memory src = zeroed(desc.src_desc()), weights = zeroed(desc.weights_desc()), dst = zeroed(desc.dst_desc());
    dnnl::convolution_forward primitive(desc);
    return best_seconds([&] {
        primitive.execute(host_stream(), {{DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, dst}});
        host_stream().wait();
    }, repeats);
}

double onednn_matmul_seconds(std::int64_t m, std::int64_t k, std::int64_t n, int repeats) {
    const auto plain = [](std::int64_t rows, std::int64_t columns) {
        return Memory::desc({rows, columns}, Memory::data_type::f32, Memory::format_tag::ab);
    };
    const auto desc = matmul_desc(plain(m, k), plain(k, n), plain(m, n), dnnl::primitive_attr());
    Memory a = zeroed(desc.src_desc()), b = zeroed(desc.weights_desc()), c = zeroed(desc.dst_desc());
    dnnl::matmul primitive(desc);
    return best_seconds([&] {
        primitive.execute(host_stream(), {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
        host_stream().wait();
    }, repeats);
}

double copy_seconds(std::size_t bytes, int repeats) {
    std::vector<char> from(bytes, 1), to(bytes, 2);
    return best_seconds([&] { std::memcpy(to.data(), from.data(), bytes); }, repeats);
}

}  // namespace gpu
