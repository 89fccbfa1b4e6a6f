#include "nodes/vision/embedding.h"

#include "gpu/ops.h"
#include "nodes/models/clip/vision.h"

namespace nodes {

Tensor picture_embeddings(const Image& pictures, const Vision& vision, VisionFit fit) {
    const Image rgb = widened(flattened(in_space(pictures, ColorSpace::Srgb), Color{1, 1, 1, 1}), 3);
    return unit_length((*vision.tower)(vision->pixels(gpu::clamp(rgb.tensor, 0, 1), fit)).projected);
}

}  // namespace nodes
