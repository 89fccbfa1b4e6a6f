// What this machine reaches, as the yardstick of benches: on a processor oneDNN's product and memcpy, on a GPU the runtime's own product
// and a copy by the driver, both large enough that submitting and waiting are nothing beside them.
#include <algorithm>
#include <chrono>

#include "app/cli/bench.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/host_kernel.h"
#include "gpu/run/traits.h"
#include "gpu/vulkan/device.h"

namespace app {
namespace {

constexpr double long_enough = 0.02;   // seconds
constexpr std::size_t host_copy = 64 << 20, device_copy = std::size_t{1} << 30;
constexpr std::int64_t smallest_side = 1024, largest_side = 8192;
constexpr int repeats = 4;

// The least of a few calls.
template <typename Run>
double least_seconds(Run run) {
    double least = 1e9;
    for (int i = 0; i < repeats; ++i) {
        const auto start = std::chrono::steady_clock::now();
        run();
        least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return least;
}

// Of whole evaluations, by the sides that are tried until one takes long enough.
double product_flop_per_s(gpu::Device& device, gpu::Dtype type) {
    double most = 0;
    for (std::int64_t side = smallest_side; side <= largest_side; side *= 2) {
        if (static_cast<std::uint64_t>(3 * side * side) * sizeof(float) > device.budget() / 4) break;
        const gpu::Tensor a = gpu::cast(bench_noise({side, side}, 1), type), b = gpu::cast(bench_noise({side, side}, 2), type);
        gpu::evaluate({a, b, gpu::matmul(a, b)});   // kernels are chosen and compiled
        const double seconds = least_seconds([&] { gpu::evaluate({gpu::matmul(a, b)}); });
        most = std::max(most, 2.0 * static_cast<double>(side * side * side) / seconds);
        if (seconds > long_enough) break;
    }
    return most;
}

double copied_bytes_per_s(gpu::Device& device) {
    const std::size_t wanted = device.caps().software ? host_copy : device_copy;
    const std::size_t bytes = std::max<std::size_t>(std::min<std::size_t>(wanted, device.budget() / 8) / 4 * 4, 4);
    const gpu::BufferRef from = device.allocate(bytes), to = device.allocate(bytes);
    const auto seconds_of = [&](int copies) {
        const gpu::CommandsRef list = device.record();
        list->fill(*from, 0, bytes, 1);
        for (int i = 0; i < copies; ++i) {
            list->barrier();
            list->copy(*from, 0, *to, 0, bytes);
        }
        list->end();
        return least_seconds([&] { device.wait(device.submit(list)); });
    };
    // The difference of many copies and none: what else there is in a submission, and the filling, is in both.
    const double none = seconds_of(0), one = std::max(seconds_of(1) - none, 1e-6);
    const int copies = std::clamp(static_cast<int>(long_enough / one), 1, 64);
    return 2.0 * static_cast<double>(bytes) * copies / std::max(seconds_of(copies) - none, 1e-6);
}

}  // namespace

BenchPeaks bench_peaks(gpu::Dtype type) {
    gpu::Device& device = gpu::Device::current();
    if (gpu::traits_of(device.caps()).host_kernels)
        return {2e-9 * 1024.0 * 1024 * 1024 / gpu::onednn_matmul_seconds(1024, 1024, 1024, 8), 2e-9 * host_copy / gpu::copy_seconds(host_copy, 8)};
    return {1e-9 * product_flop_per_s(device, type), 1e-9 * copied_bytes_per_s(device)};
}

}  // namespace app
