// What earlier runs left in the cache of some nodes, found by their keys: for who wants to look at a result without a run.
#pragma once

#include <string>
#include <vector>

#include "nodes/core/document.h"
#include "nodes/core/events.h"
#include "nodes/core/paths.h"

namespace nodes {

class ResultCache;

// Every output of `nodes` (ids as RunOptions::targets has them) that the cache holds, by the ids that a run would tell. Nothing is computed: what
// is not there, could not run, lies in a loop or reads a file outside of `places` is left out. From any thread, also beside a run; never throws. It costs
// a plan of what the nodes depend on, and what reading the results costs.
std::vector<event::Produced> peek(const Document& document, const std::vector<std::string>& nodes, const FilePlaces& places, ResultCache& cache);

}  // namespace nodes
