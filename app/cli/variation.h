// The values that a sweep gives to a parameter, as the command line writes them.
#pragma once

#include <string>
#include <vector>

namespace app {

struct Variation {
    std::string param;                 // "sample.steps"
    std::vector<std::string> values;   // as --set takes them
};

// NODE.param=VALUES, where VALUES is one of
//   a,b,c        values; a comma inside of one is written \,
//   FIRST:LAST:COUNT    that many numbers, evenly spaced, both ends included
//   @FILE        a line each; empty lines are left out
// Throws gpu::Error{Usage}, or MissingFile for FILE.
Variation parse_variation(const std::string& text);

// The cells of all combinations, the last variation changing fastest: for each the index into every variation's values.
std::vector<std::vector<std::size_t>> combinations(const std::vector<Variation>& variations);

}  // namespace app
