// What the makers of control pictures have in common: the picture as the published annotators see it.
//
// They work on 8-bit pictures without alpha. Where a step is an algorithm over single pixels in order (hysteresis, thinning), it
// runs here on the processor in plain C++: a megapixel takes some 10 ms, and neither has a form as tensor operations.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"

namespace nodes {

// Its sRGB colours, transparent parts on white as the annotators have it: F32 [N, 1 or 3, H, W].
inline Tensor source_colors(const Image& image) { return flattened(in_space(image, ColorSpace::Srgb), {1, 1, 1, 1}).tensor; }

// One channel by Rec. 601's weights, which OpenCV and Pillow use for gray: [N, 1, H, W].
inline Tensor source_gray(const Image& image) {
    const Tensor color = source_colors(image);
    if (color.size(1) == 1) return color;
    const float weights[] = {0.299f, 0.587f, 0.114f};
    return gpu::sum(color * gpu::tensor(weights, {1, 3, 1, 1}), {1});
}

// 0..1 as whole numbers 0..255, [N, C, H, W] -> interleaved [N, H, W, C]. NaN counts as 0.
inline std::vector<std::uint8_t> to_bytes(const Tensor& tensor) {
    const std::vector<float> values = to_interleaved(tensor);
    std::vector<std::uint8_t> bytes(values.size());
    std::transform(values.begin(), values.end(), bytes.begin(), [](float v) {
        return static_cast<std::uint8_t>(v > 0 ? std::min(v, 1.0f) * 255 + 0.5f : 0);
    });
    return bytes;
}

// Whole numbers 0..255 as a gray picture 0..1.
inline Image gray_picture(const std::vector<std::uint8_t>& bytes, std::int64_t n, std::int64_t h, std::int64_t w) {
    std::vector<float> values(bytes.size());
    std::transform(bytes.begin(), bytes.end(), values.begin(), [](std::uint8_t v) { return float(v) / 255; });
    return make_image(from_interleaved(std::move(values), n, h, w, 1));
}

}  // namespace nodes
