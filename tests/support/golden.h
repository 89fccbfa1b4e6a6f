// Results of reference implementations: tests/golden/FOLDER, with the script that made them.
#pragma once

#include <string>

#include "gpu/io/checkpoint.h"
#include "gpu/nn/scope.h"

namespace tests {

class Golden {
public:
    explicit Golden(const std::string& folder) : folder_(HEDDLE_SOURCE_DIR "/tests/golden/" + folder + "/") {}

    std::string file(const std::string& name) const { return folder_ + name; }

    // A tensor of expected.safetensors.
    gpu::Tensor expected(const std::string& name) const {
        const gpu::Checkpoint all = gpu::open_checkpoint(file("expected.safetensors"));
        return gpu::to_leaf({*all.find(name), all.owner(), all.path()});
    }

private:
    std::string folder_;
};

}  // namespace tests
