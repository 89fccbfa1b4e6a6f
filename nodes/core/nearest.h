// "Did you mean": the known name that a mistyped one stands for.
#pragma once

#include <string>
#include <vector>

namespace nodes {

// The candidate that looks most like `wanted` (edit distance, up to a third of its length), empty when none is near.
std::string nearest(const std::string& wanted, const std::vector<std::string>& candidates);

// "; did you mean 'encode'?", else "; there is encode, decode" for up to eight candidates, else empty.
std::string suggestion(const std::string& wanted, const std::vector<std::string>& candidates);

}  // namespace nodes
