#include "gpu/run/parts.h"

namespace gpu {
namespace {

constexpr std::size_t fewest_steady = 16;   // steps that are worth a list of their own

}  // namespace

bool ChangingSteps::note(const std::vector<std::size_t>& steps) {
    if (2 * steps.size() > marks_.size()) return false;
    bool learned = false;
    for (const std::size_t step : steps) {
        learned = learned || !marks_[step - first_];
        marks_[step - first_] = true;
    }
    return learned;
}

std::vector<StepPart> ChangingSteps::parts() const {
    std::vector<StepPart> parts;
    for (std::size_t i = 0; i < marks_.size();) {
        std::size_t end = i;
        while (end < marks_.size() && marks_[end] == marks_[i]) ++end;
        const bool changes = marks_[i] || (end - i < fewest_steady && end - i < marks_.size());
        if (!parts.empty() && parts.back().changes == changes) parts.back().last = first_ + end;
        else parts.push_back({first_ + i, first_ + end, changes});
        i = end;
    }
    return parts;
}

}  // namespace gpu
