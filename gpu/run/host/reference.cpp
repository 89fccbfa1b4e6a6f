// What oneDNN reaches by itself, with every layout of its own choice, and what memory does: the yardsticks of `heddle bench`.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <vector>

#include "gpu/run/host/conv.h"
#include "gpu/run/host/parallel.h"
#include "gpu/run/host/scratch.h"

namespace gpu {
namespace {

using Memory = dnnl::memory;
using Clock = std::chrono::steady_clock;

Memory zeroed(const Memory::desc& desc) {
    Memory result(desc, host_engine());
    std::memset(result.get_data_handle(), 0, desc.get_size());
    return result;
}

// Of `repeats` runs after one to warm up, ascending.
std::vector<double> seconds_of(const std::function<void()>& run, int repeats) {
    std::vector<double> times;
    for (int i = 0; i <= repeats; ++i) {
        const Clock::time_point start = Clock::now();
        run();
        if (i > 0) times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
    std::sort(times.begin(), times.end());
    return times;
}
double best_seconds(const std::function<void()>& run, int repeats) { return seconds_of(run, repeats).front(); }

// The best of the ways that oneDNN knows, or a very long time for one that it does not.
double conv_seconds(ConvPass pass, const ConvProblem& problem, ConvLayout layout, int repeats) {
    try {
        std::unordered_map<int, Memory> arguments;
        dnnl::primitive primitive;
        Memory::desc scratchpad;
        if (pass == ConvPass::Forward) {
            const auto desc = conv_forward_desc(problem, layout, {}, plain_attributes(), false);
            primitive = dnnl::convolution_forward(desc);
            scratchpad = desc.scratchpad_desc();
            arguments = {{DNNL_ARG_SRC, zeroed(desc.src_desc())}, {DNNL_ARG_WEIGHTS, zeroed(desc.weights_desc())}, {DNNL_ARG_DST, zeroed(desc.dst_desc())}};
        } else if (pass == ConvPass::InputGrad) {
            const auto desc = conv_input_grad_desc(problem, layout);
            primitive = dnnl::convolution_backward_data(desc);
            scratchpad = desc.scratchpad_desc();
            arguments = {{DNNL_ARG_DIFF_SRC, zeroed(desc.diff_src_desc())}, {DNNL_ARG_WEIGHTS, zeroed(desc.weights_desc())},
                         {DNNL_ARG_DIFF_DST, zeroed(desc.diff_dst_desc())}};
        } else {
            const auto desc = conv_weight_grad_desc(problem, layout);
            primitive = dnnl::convolution_backward_weights(desc);
            scratchpad = desc.scratchpad_desc();
            arguments = {{DNNL_ARG_SRC, zeroed(desc.src_desc())}, {DNNL_ARG_DIFF_WEIGHTS, zeroed(desc.diff_weights_desc())},
                         {DNNL_ARG_DIFF_DST, zeroed(desc.diff_dst_desc())}};
        }
        arguments[DNNL_ARG_SCRATCHPAD] = zeroed(scratchpad);
        return seconds_of([&] {
            primitive.execute(host_stream(), arguments);
            host_stream().wait();
        }, repeats)[static_cast<std::size_t>(repeats) / 2];
    } catch (const dnnl::error& error) {
        if (error.status != dnnl_unimplemented) throw;
        return 1e9;
    }
}

}  // namespace

double onednn_conv_seconds(ConvPass pass, const ConvGeometry& geometry, const Shape& x, const Shape& weight, const Shape& y, int repeats) {
    const ConvProblem problem{geometry, x, weight, y};
    double best = 1e9;
    for (const ConvLayout layout : {ConvLayout::ChannelsLast, ConvLayout::Blocked, ConvLayout::Winograd})
        best = std::min(best, conv_seconds(pass, problem, layout, repeats));
    return best;
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

// By all threads, each a part: one alone does not fill the ways to memory.
double copy_seconds(std::size_t bytes, int repeats) {
    HostScratch scratch(2 * HostScratch::padded(bytes));
    std::byte *const from = scratch.take(bytes), *const to = scratch.take(bytes);
    std::memset(from, 1, bytes);
    const std::int64_t parts = parallel_threads();
    return best_seconds([&] {
        parallel_for(parts, [&](std::int64_t part, int) {
            const std::size_t first = bytes * static_cast<std::size_t>(part) / static_cast<std::size_t>(parts);
            const std::size_t last = bytes * static_cast<std::size_t>(part + 1) / static_cast<std::size_t>(parts);
            std::memcpy(to + first, from + first, last - first);
        });
    }, repeats);
}

}  // namespace gpu
