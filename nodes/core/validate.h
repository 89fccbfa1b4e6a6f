// Everything that is wrong with a document, at once, before anything runs.
#pragma once

#include <string>
#include <vector>

#include "nodes/core/document.h"
#include "nodes/core/nearest.h"

namespace nodes {

enum class Severity { Warning, Error };

enum class ProblemKind {
    UnknownType,
    NewerVersion,
    NewerFormat,
    UnknownParam,
    BadValue,
    MissingValue,
    MissingInput,
    DanglingLink,
    DuplicateLink,
    TypeMismatch,
    Cycle,
    BadRegion,  // a loop whose parts do not fit together, see regions.h
    BadList,    // lists that do not fit together, or elements that do not fit, see lists.h
    UnknownTarget,
    NothingToRun,
    MissingFile
};

const char* to_string(ProblemKind kind);  // "unknown-type", ...

struct Problem {
    ProblemKind kind = ProblemKind::BadValue;
    Severity severity = Severity::Error;
    std::string node;     // empty: the document as a whole
    std::string socket;   // an input, output or parameter of that node; empty: the node as a whole
    std::string message;  // what was expected and what came

    std::string text() const;  // "error: encode.image: ..."
};

// Unknown node types (with the nearest known one), missing required inputs, types that do not fit, values out of range,
// unknown parameters and sockets, two links into one input, links to nothing, cycles, files of a newer format.
// With `targets` (node ids), errors only count as such where a target needs the node: elsewhere they become warnings.
std::vector<Problem> validate(const Document& document, const std::vector<std::string>& targets = {});

// One node of a document by itself: its type and its parameters.
std::vector<Problem> validate_node(const Document& document, const std::string& id);

// The same for the inside of a subgraph by itself (Document::inside()): its ports count as linked.
std::vector<Problem> validate_subgraph(const Document& content);

bool has_errors(const std::vector<Problem>& problems);

// Input files that are set and are not there. Apart from validate(), because it looks at the disk.
std::vector<Problem> missing_files(const Document& document);

// Empty when a wire from output `from` to input `to` may be drawn, else why not: no such socket, types that do not fit,
// or a cycle. A link that is already in `to` is no obstacle.
std::string connect_problem(const Document& document, const Endpoint& from, const Endpoint& to);

// The node ids that run when nobody names targets: those with side effects or marked as targets, else every node whose
// outputs nobody reads. Sorted.
std::vector<std::string> default_targets(const Document& document);

}  // namespace nodes
