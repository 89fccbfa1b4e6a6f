// The cache of results on the command line.
#pragma once

#include <optional>

#include "app/cli/command.h"
#include "nodes/core/disk_cache.h"

namespace app {

inline const Option cache_option{"--cache", "DIR", "Folder of finished results; several runs and users may share one"};

// The folder that --cache names, else the usual one. Nothing where results are not kept.
std::optional<nodes::DiskCache::Place> cache_place(const Arguments& arguments);

}  // namespace app
