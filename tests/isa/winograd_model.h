// What Winograd's variant of a convolution (gpu/ops/winograd.h) does around its products, as the model of a chip sees it: three
// kernels that move bytes and add.
#pragma once

#include <string>

#include "gpu/graph/dtype.h"
#include "tests/isa/chip_model.h"

namespace tests {

class WinogradTransforms {
public:
    // Compiles the three kernels of "winograd" or "winograd_half" for a map and a weight of this type.
    WinogradTransforms(const NullDevice& device, const std::string& family, gpu::Dtype dtype, const std::string& variant);

    double transformed_bytes() const { return transformed_; }   // of an element
    // Of the map's and the result's kernels, for so many pixels, and of the weight's: each no quicker than its bytes travel, from
    // and to memory where what is written is larger than the L2 cache, nor than its instructions issue, and 3 us for each
    // dispatch. The large last-level cache of these chips is left out.
    double seconds(double pixels, double in, double out) const;
    double weight_seconds(double in, double out) const;

private:
    double kernel_seconds(double read, double written, bool read_lasts, double waves, double cycles) const;

    const Chip& chip_;
    const double element_, transformed_;
    double weight_ = 0, input_ = 0, output_ = 0;   // issue cycles of a SIMD for the elements of one wave
};

}  // namespace tests
