// How much measuring an op's kernel variants are worth: which of them may turn out fastest, and how often each is run. A UNet has some
// sixty classes of shapes and a dozen variants for each, and its first picture waits for all of them.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace gpu {

// The default, which comes first, and what may beat it. A software device is asked about all: there `simple` may well win.
std::vector<std::string> worth_measuring(const std::vector<std::string>& variants, bool software);

// The least of what `run` returns, seconds, in a few calls after one that does not count. After the first that does, whatever takes
// much longer than `best` (0: nothing was measured yet) is given up.
double least_seconds(const std::function<double()>& run, double best);

}  // namespace gpu
