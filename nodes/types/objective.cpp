#include "nodes/types/objective.h"

namespace nodes {

SocketType SocketTraits<ObjectiveRef>::describe() {
    return {.title = "Objective", .colour = "#b5651d", .help = "What is trained, on what, towards what",
            .summary = erased<ObjectiveRef>([](const ObjectiveRef& objective) { return objective->summary(); })};
}

}  // namespace nodes
