// Random numbers whose every value is fixed by what was asked for: Heddle's own, and those that other tools draw.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "gpu/graph/shape.h"
#include "gpu/graph/tensor.h"

namespace nodes {

// --- Heddle's own: Philox by address ---

// Where a number stands: the seed, the purpose it is drawn for, the picture of a batch, the step of a loop. Two addresses
// never share numbers, and a number does not depend on batch, tile, device or order.
struct NoiseAddress {
    std::uint64_t seed = 0;
    std::uint32_t stream = 0;
    std::uint32_t image = 0;
    std::uint32_t step = 0;
};

// Elements first, first + 1, ... of an address (up to 2^34): normal with deviation 1, or uniform in [0, 1).
void philox_normal(const NoiseAddress& address, std::span<float> out, std::uint64_t first = 0);
void philox_uniform(const NoiseAddress& address, std::span<float> out, std::uint64_t first = 0);

// --- torch's CPU generator ---

// torch.manual_seed(seed) and the calls that follow it, to about 1e-6 (torch builds differ among themselves in the last
// bits). Only the seed's low 32 bits count, as in torch.
class TorchCpuGenerator {
public:
    explicit TorchCpuGenerator(std::uint64_t seed) : engine_(static_cast<std::uint32_t>(seed)) {}

    // torch.randn of a contiguous F32 tensor. Fewer than 16 elements are drawn one by one in double precision, the
    // spare of a pair kept for the next such call; 16 and more in blocks.
    void randn(std::span<float> out);
    // torch.rand of an F32 tensor.
    void rand(std::span<float> out);
    std::uint32_t draw() { return static_cast<std::uint32_t>(engine_()); }

private:
    float uniform() { return static_cast<float>(draw() & 0xffffffu) * 0x1p-24f; }
    double uniform_double();
    double normal_double();

    std::mt19937 engine_;
    double spare_ = 0;
    bool has_spare_ = false;
};

// --- torch's CUDA generator ---

// torch.manual_seed(seed) and normal draws on a CUDA device. The layout of tensors above `threads` elements depends on the
// device: multiprocessors * (threads per multiprocessor / 256) * 256. 0: a device large enough for every tensor, which is
// what tools that imitate CUDA assume.
class CudaGenerator {
public:
    explicit CudaGenerator(std::uint64_t seed, std::uint64_t threads = 0) : seed_(seed), threads_(threads) {}

    void randn(std::span<float> out);

private:
    std::uint64_t seed_;
    std::uint64_t threads_;
    std::uint64_t offset_ = 0;      // blocks of four words that every thread has used
};

// --- noise for latents ---

enum class NoiseSource { Heddle, TorchCpu, CudaPhilox };

// Normal noise [N, ...], one draw for the whole batch as the source's tools do. For `Heddle`, picture n has address
// {seed, stream, first_image + n, step}; the other sources know none of these.
gpu::Tensor noise(NoiseSource source, const gpu::Shape& shape, std::uint64_t seed, std::uint32_t stream = 0,
                  std::uint32_t step = 0, std::uint32_t first_image = 0);

}  // namespace nodes
