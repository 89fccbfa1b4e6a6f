// Which kernels a graph could be computed by.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "gpu/graph/op.h"
#include "gpu/plan/program.h"

namespace tests {

inline gpu::Specs input_specs(const gpu::Tensor& node) {
    gpu::Specs specs;
    for (const gpu::Tensor& input : node.inputs()) specs.push_back(input.spec());
    return specs;
}

// The variants of all kernel ops in y, each once, an op's default before its others.
inline std::vector<std::string> variants_of(const gpu::Tensor& y, const gpu::DeviceTraits& traits) {
    std::vector<std::string> names;
    for (const gpu::Tensor* const node : gpu::collect({y}).nodes) {
        if (!node->op() || node->op()->kind() != gpu::OpKind::Kernel) continue;
        for (const std::string& name : node->op()->variants(input_specs(*node), traits))
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
}

}  // namespace tests
