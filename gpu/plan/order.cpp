// Puts the steps into an order that computes everything before it is read. Nodes are numbered depth first from the
// outputs, so sorting by result keeps branches together and few values alive.
#include <algorithm>

#include "gpu/base/span.h"
#include "gpu/plan/program.h"

namespace gpu {

void order(Program& program) {
    const Span span("pass", "order");
    std::stable_sort(program.steps.begin(), program.steps.end(),
                     [](const Step& a, const Step& b) { return a.result < b.result; });
    for (std::size_t s = 0; s < program.steps.size(); ++s)
        for (const int member : program.steps[s].members) program.nodes[member].step = static_cast<int>(s);
}

}  // namespace gpu
