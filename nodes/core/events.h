// What a run tells while it goes: plain structs, sent from the engine's thread.
#pragma once

#include <QImage>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "gpu/base/error.h"
#include "nodes/core/socket_type.h"

namespace nodes {

enum class NodeState { Idle, Pending, Running, Cached, Done, Failed, Partial };

const char* to_string(NodeState state);  // "idle", "pending", ...

// An error as it leaves the engine: which node, which of its sockets or parameters (may be empty), what happened.
struct NodeFailure {
    std::string node;  // empty: the run as a whole
    std::string socket;
    std::string message;
    gpu::ErrorCode code = gpu::ErrorCode::Failure;

    std::string text() const;  // "encode.image: ..."
};

enum class RunStatus {
    Done,     // every target
    Partial,  // some targets; failures say why not all
    Failed,   // no target
    Invalid,  // the document has errors: nothing ran
    Cancelled,
};

const char* to_string(RunStatus status);  // "done", "partial", ...

namespace event {

struct Plan {                         // first of a run
    std::vector<std::string> nodes;   // what will be visited, in order
    std::vector<std::string> cached;  // of these, what the cache holds
};
struct State {
    std::string node;
    NodeState state;
};
struct NodeStart {
    std::string node, type;
    int device = 0;                   // which of the run's devices
};
struct Progress {
    std::string node;
    std::int64_t done = 0, total = 0;  // steps; total 0: unknown
    double eta = -1;                   // seconds to the end of the node, -1: unknown
};
struct Paused {  // the run holds, or goes on
    bool paused = false;
};
struct Preview {
    std::string node;
    QImage image;
};
struct NodeEnd {
    std::string node;
    double ms = 0;
    bool cached = false;
};
struct Produced {  // every output of every node that was visited, also from the cache
    std::string node, socket;
    Value value;
};
struct Output {  // a file was completely written
    std::string node, path;
    std::uint64_t bytes = 0;
    std::string sha256;
};
struct Metric {
    std::string node, name;
    double value = 0;
    std::string unit;
};
struct Warning {
    std::string node, message;
};
struct Failure {
    NodeFailure failure;
};
struct End {  // last of a run, whatever happened
    RunStatus status = RunStatus::Done;
    double ms = 0;
};

}  // namespace event

using Event = std::variant<event::Plan, event::State, event::NodeStart, event::Progress, event::Paused, event::Preview, event::NodeEnd,
                           event::Produced, event::Output, event::Metric, event::Warning, event::Failure, event::End>;

}  // namespace nodes
