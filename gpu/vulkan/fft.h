// Complex Fourier transforms by VkFFT. Its kernels use descriptor sets, which recorded lists keep: so every plan works in place
// on a buffer of its own, and callers copy in and out.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gpu/vulkan/buffer.h"

namespace gpu {

// False where Heddle was built without VkFFT 1.3.
bool fft_available();

struct FftShape {
    std::vector<std::int64_t> sizes;   // 1 to 3, slowest first
    std::int64_t batch = 1;
    bool inverse = false;              // exp(+2 pi i ...); neither direction has a factor

    std::uint64_t bytes() const;       // of the buffer: F32 pairs

    friend bool operator==(const FftShape&, const FftShape&) = default;
};

// Made by Device::fft_plan; valid as long as its Device.
class FftPlan {
public:
    ~FftPlan();
    FftPlan(const FftPlan&) = delete;
    FftPlan& operator=(const FftPlan&) = delete;

    const FftShape& shape() const;
    // What Commands::fft transforms. Plans are shared: barriers belong before the copy in and after the copy out.
    const BufferRef& buffer() const;

    struct State;   // private to gpu/vulkan/fft.cpp

private:
    friend struct DeviceCore;
    friend class Commands;
    FftPlan();

    std::unique_ptr<State> state_;
};

using FftPlanRef = std::shared_ptr<FftPlan>;

}  // namespace gpu
