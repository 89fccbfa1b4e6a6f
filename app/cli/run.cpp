// heddle run: runs a graph.
#include <unistd.h>

#include <QFileInfo>
#include <csignal>
#include <filesystem>

#include "app/cli/cache_option.h"
#include "app/cli/command.h"
#include "app/cli/event_printer.h"
#include "app/cli/graph_options.h"
#include "app/cli/interrupt.h"
#include "gpu/base/error.h"
#include "gpu/base/switches.h"
#include "nodes/core/disk_cache.h"
#include "nodes/core/executor.h"
#include "nodes/core/nearest.h"

namespace app {
namespace {

using gpu::Error;
using gpu::ErrorCode;

ProgressStyle progress_style(const Arguments& arguments) {
    const std::string style = arguments.choice("--progress", {"auto", "bar", "json", "none"});
    if (style == "json") return ProgressStyle::Json;
    const bool person = style == "bar" || (style == "auto" && isatty(STDERR_FILENO) && !arguments.has("--json"));
    return person ? ProgressStyle::Bar : ProgressStyle::None;
}

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

int run_graph(const Arguments& arguments) {
    const std::string& path = arguments.only("GRAPH");
    const ProgressStyle style = progress_style(arguments);
    if (const auto device = arguments.value("--device")) gpu::switches().device = *device;
    if (const auto budget = arguments.value("--budget")) gpu::switches().budget = gpu::parse_bytes(*budget, "--budget");

    nodes::Document document = load_graph(path);
    std::vector<std::string> files;
    for (const std::string& assignment : arguments.values("--set")) document = apply_set(document, assignment, files);
    nodes::RunOptions options{.targets = read_targets(arguments, document)};
    if (const auto file = arguments.value("--output")) document = apply_output(document, options.targets, *file, files);
    options.output_folder = arguments.value("--output-dir").value_or("");
    if (!options.output_folder.empty()) files.push_back(options.output_folder);
    options.allowed = allowed_places(arguments, document, std::move(files));

    // What this process computed it does not need again, but the next one may.
    nodes::ResultCache cache(0);
    if (const auto place = cache_place(arguments); place && !arguments.has("--no-cache")) {
        cache.set_disk(std::make_shared<nodes::DiskCache>(*place));
        options.cache = &cache;
    }

    EventPrinter printer(style, arguments.has("--json"));
    options.on_event = [&](const nodes::Event& event) { printer.print(event); };
    const InterruptScope interrupt(options.cancel);
    printer.start(path);
    const nodes::RunResult result = nodes::run(document, options);
    const bool stopped = result.status == nodes::RunStatus::Cancelled && interrupt.signal() != 0;
    const int status = stopped ? 128 + interrupt.signal() : result.exit_code();
    printer.end(result, status);
    return status;
}

Command run_command() {
    return {
        .name = "run",
        .arguments = "GRAPH",
        .summary = "Runs a graph",
        .help = "Computes the targets of GRAPH ('-': stdin; a picture that Heddle wrote: the graph in it): those named by\n"
                "--target, else every node that writes a file or reports a number. Numbers and written files are printed\n"
                "on stdout. Relative input files\n"
                "start from the graph's folder, else from the current one; relative output files from the current\n"
                "folder. A graph reads and writes only in those two folders and where the command line points.",
        .options = {{"--set", "NODE.param=VALUE", "Change a parameter; 'heddle describe GRAPH' lists them", "", true},
                    {"--target", "NODE", "Compute this node", "", true},
                    {"--output", "FILE", "Where the only node that writes a file puts it", "-o"},
                    {"--output-dir", "DIR", "Folder that relative output files start from"},
                    {"--allow", "PATH", "Let the graph read and write here too", "", true},
                    {"--device", "SEL", "Device: an index, cpu, gpu, or a part of its name; see 'heddle devices'"},
                    {"--budget", "BYTES", "Device memory to keep within, such as 512M or 2G; weights beyond it are streamed"},
                    cache_option,
                    {"--no-cache", "", "Compute everything, and keep nothing for later runs"},
                    {"--progress", "STYLE",
                     "auto, bar, json or none; json prints every event as a JSON line on stdout"},
                    {"--json", "", "Print events as JSON lines on stdout, but no progress"}},
        .run = run_graph};
}

}  // namespace

REGISTER_COMMAND(run, run_command())

}  // namespace app
