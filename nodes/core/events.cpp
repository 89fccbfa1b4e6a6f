#include "nodes/core/events.h"

namespace nodes {

const char* to_string(NodeState state) {
    switch (state) {
        case NodeState::Idle: return "idle";
        case NodeState::Pending: return "pending";
        case NodeState::Running: return "running";
        case NodeState::Cached: return "cached";
        case NodeState::Done: return "done";
        case NodeState::Failed: return "failed";
        case NodeState::Partial: return "partial";
    }
    return "idle";
}

const char* to_string(RunStatus status) {
    switch (status) {
        case RunStatus::Done: return "done";
        case RunStatus::Partial: return "partial";
        case RunStatus::Failed: return "failed";
        case RunStatus::Invalid: return "invalid";
        case RunStatus::Cancelled: return "cancelled";
    }
    return "failed";
}

std::string NodeFailure::text() const {
    std::string where = node;
    if (!node.empty() && !socket.empty()) where += "." + socket;
    return where.empty() ? message : where + ": " + message;
}

}  // namespace nodes
