// heddle run: runs a graph.
#include <csignal>

#include "app/cli/command.h"
#include "app/cli/event_printer.h"
#include "app/cli/interrupt.h"
#include "app/cli/run_setup.h"

namespace app {
namespace {

int run_graph(const Arguments& arguments) {
    // What this process computed it does not need again, but the next one may: nothing is kept in memory.
    RunSetup setup = set_up_run(arguments, 0, arguments.value("--output"));
    EventPrinter printer(progress_style(arguments), arguments.has("--json"));
    setup.options.on_event = [&](const nodes::Event& event) { printer.print(event); };
    const InterruptScope interrupt(setup.options.cancel);
    printer.start(arguments.only("GRAPH"));
    const nodes::RunResult result = nodes::run(setup.document, setup.options);
    const bool stopped = result.status == nodes::RunStatus::Cancelled && interrupt.signal() != 0;
    const int status = stopped ? 128 + interrupt.signal() : result.exit_code();
    printer.end(result, status);
    return status;
}

Command run_command() {
    Command command{
        .name = "run",
        .arguments = "GRAPH",
        .summary = "Runs a graph",
        .help = "Computes the targets of GRAPH ('-': stdin; a picture that Heddle wrote: the graph in it): those named by\n"
                "--target, else every node that writes a file or reports a number. A ComfyUI workflow, or a PNG that holds\n"
                "one, is translated first. Numbers and written files are printed on stdout. Relative input files\n"
                "start from the graph's folder, else from the current one; relative output files from the current\n"
                "folder. A graph reads and writes only in those two folders and where the command line points.",
        .options = run_options(),
        .run = run_graph};
    command.options.push_back({"--output", "FILE", "Where the only node that writes a file puts it", "-o"});
    return command;
}

}  // namespace

REGISTER_COMMAND(run, run_command())

}  // namespace app
