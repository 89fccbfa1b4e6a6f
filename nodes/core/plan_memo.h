// What one run knew of its document, so that the next one looks only at what was edited: a few nanoseconds a node in place of checking,
// planning and hashing them all. Kept by whoever runs a document again and again (Runner).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nodes/core/plan.h"
#include "nodes/core/validate.h"

namespace nodes {

// Use by one run at a time.
class PlanMemo {
public:
    struct Known {
        std::vector<Problem> warnings;      // of validate()
        RunPlan plan;
    };

    // The plan for `document`, where it is the one that was put in last but for parameters of a few nodes, and these parameters are right;
    // nothing where everything must be looked at. Takes it out. `asked`: the targets that somebody named.
    std::optional<Known> take(const Document& document, const std::vector<std::string>& asked, const FilePlaces& places, ResultCache* cache);
    // Keeps what a run knew. Only documents that run as they are (no subgraphs, lists, computed parameters, modes) can be kept: `low` is what
    // ran, and forgets everything where it is not `document`.
    void put(const Document& document, const Document& low, std::vector<std::string> asked, FilePlaces places, Known known);

private:
    std::optional<Known> known_;
    Document document_;
    std::vector<std::string> asked_;
    FilePlaces places_;
};

}  // namespace nodes
