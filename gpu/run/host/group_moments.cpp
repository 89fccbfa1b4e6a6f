// The mean and 1 / sqrt(variance + eps) of group norm's groups, in one sweep over a channels-last map.
//
// A chunk of pixels sums, for every channel, how far its values are from those of its first pixel, and the squares of that:
// the difference of large numbers that sums of x^2 end in does not arise. Chunks and channels are put together in double
// precision (Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979).
#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "gpu/graph/vector_math.h"
#include "gpu/run/host/parallel.h"
#include "gpu/run/host_kernel.h"

namespace gpu {
namespace {

constexpr std::int64_t chunk_elements = 65536;     // work worth a turn of a thread

struct Moments {
    double count = 0, mean = 0, squares = 0;   // squares: of what is left when the mean is taken off

    void add(const Moments& other) {
        const double all = count + other.count, apart = other.mean - mean;
        squares += other.squares + apart * apart * count * other.count / all;
        mean += apart * other.count / all;
        count = all;
    }
};

// Of each group of channels over `pixels` rows of `channels` numbers.
void set_chunk(const float* x, std::int64_t pixels, std::int64_t channels, std::int64_t groups, Moments* to) {
    const auto width = static_cast<std::size_t>(channels);
    std::vector<float> sums(2 * width);
    float *const sum = sums.data(), *const squares = sum + width;
    add_deviations(x, width, static_cast<std::size_t>(pixels), width, x, sum, squares);
    const std::int64_t per_group = channels / groups;
    const double count = static_cast<double>(pixels), share = 1 / count;
    for (std::int64_t g = 0; g < groups; ++g) {
        const std::int64_t first = g * per_group, last = first + per_group;
        double mean = 0, apart = 0;   // of the channels' means; the sum of their squares from there
        for (std::int64_t c = first; c < last; ++c) mean += x[c] + sum[c] * share;
        mean /= static_cast<double>(per_group);
        double left = 0;
        for (std::int64_t c = first; c < last; ++c) {
            const double shift = sum[c] * share, from_mean = x[c] + shift - mean;
            left += squares[c] - shift * sum[c];
            apart += from_mean * from_mean;
        }
        to[g] = {count * static_cast<double>(per_group), mean, std::max(left + count * apart, 0.0)};
    }
}

}  // namespace

// Result [2, N, C, 1...]: means, then factors, of each channel's group. Parameters: groups, bits of eps.
void host_group_moments(const HostCall& call);
void host_group_moments(const HostCall& call) {
    const Shape& shape = call.in[0].shape;
    const std::int64_t batch = shape[0], channels = shape[1], groups = call.kernel.params[0], per_group = channels / groups;
    const std::int64_t pixels = element_count(shape) / (batch * channels);
    const double eps = std::bit_cast<double>(call.kernel.params[1]);
    const auto* const x = reinterpret_cast<const float*>(call.in[0].data);
    auto* const out = reinterpret_cast<float*>(call.out.data);

    const std::int64_t chunk = std::max<std::int64_t>(chunk_elements / channels, 1), chunks = (pixels + chunk - 1) / chunk;
    std::vector<Moments> parts(static_cast<std::size_t>(batch * chunks * groups));
    parallel_walk(batch * chunks, element_count(shape), [&](std::int64_t task) {
        const std::int64_t n = task / chunks, first = task % chunks * chunk;
        set_chunk(x + (n * pixels + first) * channels, std::min(chunk, pixels - first), channels, groups, parts.data() + task * groups);
    });

    for (std::int64_t n = 0; n < batch; ++n)
        for (std::int64_t g = 0; g < groups; ++g) {
            Moments all;
            for (std::int64_t c = 0; c < chunks; ++c) all.add(parts[static_cast<std::size_t>((n * chunks + c) * groups + g)]);
            const std::int64_t at = n * channels + g * per_group;
            std::fill_n(out + at, per_group, static_cast<float>(all.mean));
            std::fill_n(out + batch * channels + at, per_group, static_cast<float>(1 / std::sqrt(all.squares / all.count + eps)));
        }
}

}  // namespace gpu
