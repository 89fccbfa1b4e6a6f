// What differs between two graphs, in a few words for a list.
#pragma once

#include <QString>

#include "nodes/core/document.h"

namespace app {

// "prompt.text = a red heart, sample.seed = 7"; new, removed and rewired nodes by name. Only what a run may see: not where nodes
// lie. Empty where nothing differs. At most `most` changes are named, the others counted.
QString change_text(const nodes::Document& before, const nodes::Document& after, int most = 3);

}  // namespace app
