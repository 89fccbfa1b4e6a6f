// What commands that run a graph have in common: the options, and a run made ready by them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/cli/command.h"
#include "app/cli/event_printer.h"
#include "nodes/core/disk_cache.h"
#include "nodes/core/executor.h"

namespace app {

struct RunSetup {
    nodes::Document document;
    nodes::RunOptions options;                    // without a listener
    std::vector<std::string> files;               // that --set names
    std::unique_ptr<nodes::ResultCache> cache;    // that the options point at, unless --no-cache
    std::vector<std::string> sets{};              // what --set gives, see set_values.h
};

// --set, --target, --output-dir, --allow, --progress and --json: what a run is asked for, here or of a server.
std::vector<Option> request_options();

// --device and --budget, see choose_device().
std::vector<Option> device_options();

// Both, and --cache and --no-cache.
std::vector<Option> run_options();

// Reads GRAPH and applies the options above. `kept`: bytes of results that stay in memory. Throws gpu::Error{Usage} and
// what load_graph() throws.
RunSetup set_up_run(const Arguments& arguments, std::size_t kept);

// What --device and --budget say is what the process computes with from now on. Gives back what RunOptions::devices takes where
// --device, or HEDDLE_DEVICE, names several ("0,1").
std::vector<std::shared_ptr<gpu::DeviceSlot>> choose_device(const Arguments& arguments);

// The second tier of results that --cache and --no-cache ask for, null for none.
std::shared_ptr<nodes::DiskCache> disk_cache(const Arguments& arguments);

ProgressStyle progress_style(const Arguments& arguments);

}  // namespace app
