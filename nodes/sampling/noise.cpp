#include "nodes/sampling/noise.h"

#include <cmath>
#include <numbers>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "gpu/base/philox.h"

namespace nodes {
namespace {

constexpr double two_pi = 2 * std::numbers::pi;

// Calls set(index, lane, words) for each element: its number is made of words[lane].
template <typename Set>
void each_word(const NoiseAddress& address, std::size_t count, std::uint64_t first, Set set) {
    gpu::check(first + count <= std::uint64_t{1} << 34, gpu::ErrorCode::InvalidGraph,
               "noise: expected at most 2^34 elements for one picture, got {}", first + count);
    gpu::PhiloxCounter words{};
    std::uint64_t block = ~std::uint64_t{0};
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t element = first + i;
        if (element / 4 != block) {
            block = element / 4;
            words = gpu::philox({static_cast<std::uint32_t>(block), address.step, address.image, address.stream}, address.seed);
            if (block % (1u << 16) == 0) gpu::check_cancelled();
        }
        set(i, static_cast<unsigned>(element % 4), words);
    }
}

struct Pair {
    double first, second;
};

// Box and Muller 1958 as CUDA's generator does it: sine first.
Pair cuda_normals(std::uint32_t a, std::uint32_t b) {
    const double radius = std::sqrt(-2 * std::log(a * 0x1p-32 + 0x1p-33));
    const double turn = two_pi * (b * 0x1p-32 + 0x1p-33);
    return {radius * std::sin(turn), radius * std::cos(turn)};
}

}  // namespace

void philox_normal(const NoiseAddress& address, std::span<float> out, std::uint64_t first) {
    Pair pair{};
    each_word(address, out.size(), first, [&](std::size_t i, unsigned lane, const gpu::PhiloxCounter& words) {
        if (i == 0 || lane % 2 == 0) pair = cuda_normals(words[lane & 2], words[(lane & 2) + 1]);
        out[i] = static_cast<float>(lane & 1 ? pair.second : pair.first);
    });
}

void philox_uniform(const NoiseAddress& address, std::span<float> out, std::uint64_t first) {
    each_word(address, out.size(), first, [&](std::size_t i, unsigned lane, const gpu::PhiloxCounter& words) {
        out[i] = static_cast<float>(words[lane] >> 8) * 0x1p-24f;
    });
}

double TorchCpuGenerator::uniform_double() {
    const std::uint64_t high = draw();
    const std::uint64_t bits = (high << 32 | draw()) & ((std::uint64_t{1} << 53) - 1);
    return static_cast<double>(bits) * 0x1p-53;
}

double TorchCpuGenerator::normal_double() {
    if (has_spare_) {
        has_spare_ = false;
        return spare_;
    }
    const double u1 = uniform_double(), u2 = uniform_double();
    const double radius = std::sqrt(-2 * std::log1p(-u2));
    spare_ = radius * std::sin(two_pi * u1);
    has_spare_ = true;
    return radius * std::cos(two_pi * u1);
}

void TorchCpuGenerator::rand(std::span<float> out) {
    for (float& value : out) value = uniform();
}

void TorchCpuGenerator::randn(std::span<float> out) {
    if (out.size() < 16) {
        for (float& value : out) value = static_cast<float>(normal_double());
        return;
    }
    const auto transform = [&](std::size_t at) {
        for (std::size_t j = at; j < at + 8; ++j) {
            const double radius = std::sqrt(-2 * std::log(1.0 - out[j])), turn = two_pi * out[j + 8];
            out[j] = static_cast<float>(radius * std::cos(turn));
            out[j + 8] = static_cast<float>(radius * std::sin(turn));
        }
    };
    rand(out);
    for (std::size_t at = 0; at + 16 <= out.size(); at += 16) {
        if (at % (1u << 18) == 0) gpu::check_cancelled();
        transform(at);
    }
    if (out.size() % 16 != 0) {      // the tail is the last 16 elements drawn anew, over part of the block before
        rand(out.last(16));
        transform(out.size() - 16);
    }
}

void CudaGenerator::randn(std::span<float> out) {
    const std::uint64_t needed = (out.size() + 255) / 256 * 256;
    const std::uint64_t threads = threads_ ? std::min(threads_, needed) : needed;
    for (std::uint64_t i = 0; i < threads && i < out.size(); ++i) {
        if (i % (1u << 16) == 0) gpu::check_cancelled();
        for (std::uint64_t turn = 0; turn * 4 * threads + i < out.size(); ++turn) {
            const std::uint64_t block = offset_ + turn;
            const gpu::PhiloxCounter w = gpu::philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                                                      static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32)}, seed_);
            const Pair one = cuda_normals(w[0], w[1]), two = cuda_normals(w[2], w[3]);
            const double normals[] = {one.first, one.second, two.first, two.second};
            for (std::uint64_t k = 0; k < 4; ++k)
                if (const std::uint64_t at = turn * 4 * threads + k * threads + i; at < out.size())
                    out[at] = static_cast<float>(normals[k]);
        }
    }
    if (threads) offset_ += (out.size() + 4 * threads - 1) / (4 * threads);
}

gpu::Tensor noise(NoiseSource source, const gpu::Shape& shape, std::uint64_t seed, std::uint32_t stream, std::uint32_t step,
                  std::uint32_t first_image) {
    const auto count = static_cast<std::size_t>(gpu::element_count(shape));
    const auto values = std::make_shared<std::vector<float>>(count);
    switch (source) {
        case NoiseSource::TorchCpu: TorchCpuGenerator(seed).randn(*values); break;
        case NoiseSource::CudaPhilox: CudaGenerator(seed).randn(*values); break;
        case NoiseSource::Heddle: {
            const std::size_t pictures = shape.empty() ? 1 : static_cast<std::size_t>(shape[0]);
            for (std::size_t n = 0; n < pictures; ++n)
                philox_normal({seed, stream, first_image + static_cast<std::uint32_t>(n), step},
                              std::span(*values).subspan(n * (count / pictures), count / pictures));
            break;
        }
    }
    return gpu::leaf({shape, gpu::Dtype::F32}, std::as_bytes(std::span(*values)), values);
}

}  // namespace nodes
