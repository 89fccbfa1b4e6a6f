#include "nodes/types/loss.h"

namespace nodes {

SocketType SocketTraits<LossRef>::describe() {
    return {.title = "Loss", .colour = "#c0504d", .help = "How far what a network made is from what it should have made",
            .summary = erased<LossRef>([](const LossRef& loss) { return loss->summary(); })};
}

}  // namespace nodes
