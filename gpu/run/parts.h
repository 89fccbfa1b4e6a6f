// A segment's command list in parts, so that a number or an address that changes from run to run does not have all of it recorded anew:
// a step of training or of sampling has thousands of dispatches, and few of them read its rate or its noise level.
#pragma once

#include <cstddef>
#include <vector>

namespace gpu {

// Steps [first, last), recorded together.
struct StepPart {
    std::size_t first = 0, last = 0;
    bool changes = false;
};

// Which steps' push constants differed from one run to the next.
class ChangingSteps {
public:
    ChangingSteps(std::size_t first, std::size_t last) : first_(first), marks_(last - first) {}

    // Notes the steps that differ now. Where most do, memory moved as a whole and nothing is learned. True: parts() differ from before.
    bool note(const std::vector<std::size_t>& steps);
    // In order, all steps once. Few steady ones between others go with them: a list costs something too.
    std::vector<StepPart> parts() const;

private:
    std::size_t first_;
    std::vector<bool> marks_;
};

}  // namespace gpu
