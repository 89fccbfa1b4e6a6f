#include "app/cli/run_setup.h"

#include <unistd.h>

#include <filesystem>
#include <utility>

#include "app/cli/cache_option.h"
#include "app/cli/graph_options.h"
#include "app/cli/set_values.h"
#include "gpu/base/error.h"
#include "gpu/base/switches.h"
#include "gpu/vulkan/device_scope.h"
#include "nodes/core/disk_cache.h"
#include "nodes/core/nearest.h"

namespace app {
namespace {

using gpu::Error;
using gpu::ErrorCode;

std::vector<std::string> read_targets(const Arguments& arguments, const nodes::Document& document) {
    std::vector<std::string> targets = arguments.values("--target");
    for (const std::string& target : targets)
        if (!document.contains(target))
            throw Error(ErrorCode::Usage, "--target: expected a node of the graph, got '{}'{}", target,
                        nodes::suggestion(target, document.node_ids()));
    return targets;
}

// The folders that the user gave by calling us: the graph's, the current one, and what the command line names.
std::vector<std::string> allowed_places(const Arguments& arguments, const nodes::Document& document,
                                        std::vector<std::string> files) {
    for (const std::string& folder : arguments.values("--allow")) {
        gpu::check(std::filesystem::exists(folder), ErrorCode::MissingFile,
                   "--allow: expected a folder, there is no {}", folder);
        files.push_back(folder);
    }
    if (!document.folder().empty()) files.push_back(document.folder());
    files.push_back(std::filesystem::current_path().string());
    return files;
}

}  // namespace

ProgressStyle progress_style(const Arguments& arguments) {
    const std::string style = arguments.choice("--progress", {"auto", "bar", "json", "none"});
    if (style == "json") return ProgressStyle::Json;
    const bool person = style == "bar" || (style == "auto" && isatty(STDERR_FILENO) && !arguments.has("--json"));
    return person ? ProgressStyle::Bar : ProgressStyle::None;
}

std::vector<Option> request_options() {
    return {{"--set", "NODE.param=VALUE", "Change a parameter, =@FILE: to the text of a file; 'heddle describe GRAPH' lists them", "", true},
            {"--target", "NODE", "Compute this node", "", true},
            {"--output-dir", "DIR", "Folder that relative output files start from"},
            {"--allow", "PATH", "Let the graph read and write here too", "", true},
            {"--progress", "STYLE", "auto, bar, json or none; json prints every event as a JSON line on stdout"},
            {"--json", "", "Print events as JSON lines on stdout, but no progress"}};
}

std::vector<Option> device_options() {
    return {{"--device", "SEL", "Device: an index, cpu, gpu, or a part of its name; see 'heddle devices'. Several (0,1) compute branches of a graph, or cells of a sweep, at once"},
            {"--budget", "BYTES", "Device memory to keep within, such as 512M or 2G; weights beyond it are streamed"}};
}

std::vector<Option> run_options() {
    return joined({request_options(), device_options(), {cache_option, {"--no-cache", "", "Compute everything, and keep nothing for later runs"}}});
}

std::vector<std::shared_ptr<gpu::DeviceSlot>> choose_device(const Arguments& arguments) {
    if (const auto device = arguments.value("--device")) gpu::switches().device = *device;
    auto devices = gpu::device_slots(gpu::switches().device);
    if (devices.size() > 1) gpu::switches().device = std::exchange(devices[0], nullptr)->selector;
    if (devices.size() == 1) devices.clear();
    if (const auto budget = arguments.value("--budget")) gpu::switches().budget = gpu::parse_bytes(*budget, "--budget");
    return devices;
}

std::shared_ptr<nodes::DiskCache> disk_cache(const Arguments& arguments) {
    const auto place = arguments.has("--no-cache") ? std::nullopt : cache_place(arguments);
    return place ? std::make_shared<nodes::DiskCache>(*place) : nullptr;
}

RunSetup set_up_run(const Arguments& arguments, std::size_t kept) {
    auto devices = choose_device(arguments);
    RunSetup setup;
    setup.sets = given_sets(arguments);      // throws: not in an initialiser, whose finished members GCC 12 then destroys twice
    setup.cache = std::make_unique<nodes::ResultCache>(kept);
    setup.options.devices = std::move(devices);
    setup.document = load_graph(arguments.only("GRAPH"));
    for (const std::string& assignment : setup.sets) setup.document = apply_set(setup.document, assignment, setup.files);
    setup.options.targets = read_targets(arguments, setup.document);
    setup.options.output_folder = arguments.value("--output-dir").value_or("");
    std::vector<std::string> places = setup.files;
    if (!setup.options.output_folder.empty()) places.push_back(setup.options.output_folder);
    setup.options.allowed = allowed_places(arguments, setup.document, std::move(places));
    const auto disk = disk_cache(arguments);
    if (disk) setup.cache->set_disk(disk);
    if (disk || kept > 0) setup.options.cache = setup.cache.get();
    return setup;
}

}  // namespace app
