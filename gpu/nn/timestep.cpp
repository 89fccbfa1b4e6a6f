#include "gpu/nn/timestep.h"

#include <cmath>

#include "gpu/base/error.h"
#include "gpu/graph/shown.h"
#include "gpu/ops.h"

namespace gpu::nn {

Tensor timestep_embedding(const Tensor& t, std::int64_t dim, const TimestepOptions& options) {
    const std::int64_t half = dim / 2;
    check(t.rank() == 1 && dim > 0 && static_cast<double>(half) > options.shift, ErrorCode::InvalidGraph,
          "timestep_embedding: expected t [N] and a dimension above {}, got {} and {}", 2 * options.shift, shown(t.spec()), dim);
    std::vector<float> frequencies;
    for (std::int64_t i = 0; i < half; ++i)
        frequencies.push_back(static_cast<float>(std::exp(-std::log(options.max_period) * static_cast<double>(i) / (static_cast<double>(half) - options.shift))));
    const Tensor angle = unsqueeze(cast(t, Dtype::F32), {1}) * tensor(frequencies, {1, half});   // [N, half]
    // Devices promise sine and cosine near zero only: take whole turns off. The first part of 2 pi has few bits, so that its
    // multiples are exact.
    const Tensor turns = round(angle * 0.15915494309189535);
    const Tensor rest = (angle - turns * 6.28125) - turns * 1.9353071795864769e-3;
    Tensors parts{sin(rest), cos(rest)};
    if (options.cosine_first) std::swap(parts[0], parts[1]);
    if (dim % 2 == 1) parts.push_back(zeros({t.size(0), 1}));
    return concat(parts, 1);
}

}  // namespace gpu::nn
