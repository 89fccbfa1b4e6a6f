// Pictures in the eyes of an image encoder.
#pragma once

#include "nodes/types/image.h"
#include "nodes/types/vision.h"

namespace nodes {

// The projected embeddings of pictures, transparent parts on white: F32 [N, P], rows of length 1. Lazy. The tower must have a projection.
Tensor picture_embeddings(const Image& pictures, const Vision& vision, VisionFit fit);

}  // namespace nodes
