// ControlNets that are stored relative to their base, completed by its weights. All names are ldm's.
#pragma once

#include <string>

#include "nodes/models/unet/merge.h"

namespace nodes {

// Every weight that the base has too, plus the base's; others as they are.
NamedTensors completed_difference(const gpu::Weights& difference, const gpu::Weights& base);

// NAME.weight of the base plus NAME.up NAME.down (flattened products); others of the file as they are; the base's for what it lacks,
// of the way down and the middle. `what` is for messages. Throws InvalidGraph where shapes do not meet.
NamedTensors completed_lora(const gpu::Weights& lora, const gpu::Weights& base, const std::string& what);

}  // namespace nodes
