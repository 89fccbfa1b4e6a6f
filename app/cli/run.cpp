// heddle run: runs a graph, once or for each row of a file of inputs.
#include <csignal>

#include "app/cli/cells.h"
#include "app/cli/command.h"
#include "app/cli/event_printer.h"
#include "app/cli/input_cells.h"
#include "app/cli/interrupt.h"
#include "app/cli/run_setup.h"
#include "app/cli/slurm_engine.h"
#include "gpu/base/error.h"

namespace app {
namespace {

using gpu::ErrorCode;

// Before a run's own events.
void print_head(const std::vector<Cell>& cells, std::size_t index, bool several, const Arguments& arguments, EventPrinter& printer) {
    if (several) {
        printer.set_row(index + 1);
        printer.print(QJsonObject{{"event", "row"}, {"rows", static_cast<qint64>(cells.size())}, {"params", cell_json(cells[index])["params"]}});
        if (!arguments.has("--json") && progress_style(arguments) != ProgressStyle::Json)
            print_line(gpu::format("{}/{}  {}", index + 1, cells.size(), params_text(cells[index])));
    }
    printer.start(arguments.only("GRAPH"));
}

// Has Slurm run the cells and tells what each left as it comes. Returns the exit status of a signal, or 0.
int run_all_on_slurm(std::vector<Cell>& cells, bool several, const Arguments& arguments, RunSetup& setup, EventPrinter& printer) {
    const InterruptScope interrupt(setup.options.cancel);
    const bool whole = compute_on_slurm(arguments, setup, cells, [&](std::size_t i) {
        print_head(cells, i, several, arguments, printer);
        const nodes::RunResult& result = cells[i].result;
        for (const auto& metric : result.metrics) printer.print(nodes::Event(metric));
        for (const auto& output : result.outputs) printer.print(nodes::Event(output));
        for (const auto& failure : result.failures) printer.print(nodes::Event(nodes::event::Failure{failure}));
        printer.end(result, result.exit_code());
    });
    return whole ? 0 : 128 + std::max(2, interrupt.signal());
}

// Runs cells one after another; what comes after a cancelled one is left out. Returns the exit status of a run that was stopped, or 0.
int run_all(std::vector<Cell>& cells, bool several, const Arguments& arguments, RunSetup& setup, EventPrinter& printer) {
    setup.options.on_event = [&](const nodes::Event& event) { printer.print(event); };
    const InterruptScope interrupt(setup.options.cancel, setup.options.pause);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        print_head(cells, i, several, arguments, printer);
        run_cell(cells[i], setup.options);
        const nodes::RunResult& result = cells[i].result;
        const bool stopped = result.status == nodes::RunStatus::Cancelled;
        const int status = stopped ? stopped_exit_code(result, interrupt.signal()) : result.exit_code();
        printer.end(result, status);
        if (!stopped) continue;
        cells.resize(i + 1);
        return status;
    }
    return 0;
}

int run_graph(const Arguments& arguments) {
    const SignalThread signal_thread;
    const bool on_slurm = wants_slurm(arguments);
    const auto inputs = arguments.value("--inputs");
    gpu::check(inputs != "-" || arguments.only("GRAPH") != "-", ErrorCode::Usage, "expected the graph or --inputs on stdin, got both");
    const InputRows rows = inputs ? read_inputs(*inputs) : InputRows();
    // What one run computed it does not need again, but the next row may.
    RunSetup setup = set_up_run(arguments, rows.several ? std::size_t{1} << 30 : 0);
    std::vector<Cell> cells;
    if (inputs)
        cells = cells_of(rows, setup);
    else
        cells.push_back({.document = setup.document});
    name_files(cells, rows.several, arguments, setup);

    EventPrinter printer(progress_style(arguments), arguments.has("--json"));
    if (on_slurm) {
        if (const int stopped = run_all_on_slurm(cells, rows.several, arguments, setup, printer)) return stopped;
    }
    const int stopped = on_slurm ? 0 : run_all(cells, rows.several, arguments, setup, printer);
    if (const auto table = arguments.value("--table")) write_table(*table, cells);
    const int status = stopped != 0 ? stopped : exit_code_of(cells);
    if (rows.several) {
        const auto failed = std::ranges::count_if(cells, [](const Cell& cell) { return cell.result.exit_code() != 0; });
        printer.set_row(0);
        printer.print(QJsonObject{{"event", "summary"}, {"rows", static_cast<qint64>(rows.rows.size())},
                                  {"failed", static_cast<qint64>(failed)}, {"exit_code", status}});
    }
    return status;
}

Command run_command() {
    return Command{
        .name = "run",
        .arguments = "GRAPH",
        .summary = "Runs a graph",
        .help = "Computes the targets of GRAPH ('-': stdin; a picture that Heddle wrote: the graph in it): those named by\n"
                "--target, else every node that writes a file or reports a number. A ComfyUI workflow, or a PNG that holds\n"
                "one, is translated first. Numbers and written files are printed on stdout. Relative input files\n"
                "start from the graph's folder, else from the current one; relative output files from the current\n"
                "folder. A graph reads and writes only in those two folders and where the command line points.\n"
                "Ctrl-C cancels, what is finished is kept; SIGUSR1 holds the run, another SIGUSR1 lets it go on.\n"
                "\n"
                "--inputs FILE sets parameters from a file ('-': stdin), before --set does: a JSON object\n"
                "{\"sample.steps\": 20, ...} for one run; a list of such objects, one a line (JSON Lines), or CSV with the\n"
                "names in its first line and an empty cell where nothing changes, for a run each. All rows are checked before\n"
                "the first runs. A run that fails does not stop the others; the exit status is 10 then. Without --out files\n"
                "get the row's number: out-001.png.\n"
                "\n"
                "--set NODE.param=@FILE takes the text of a file ('@-': stdin) as it is, without the line break at its end; a text\n"
                "that begins with @ is written NODE.param=@@text.\n"
                "\n"
                "--out TEMPLATE says where every node that writes a file puts it: {graph} {node} {output} {row} {seed} {date}\n"
                "{time}, {file} and {suffix} of the name in the graph, and {param:NODE.param} for a value; {row:03} fills up with\n"
                "zeros, {{ is a brace. Folders are made; ### stays the number of the picture.\n"
                "  heddle run text-to-image.heddle --inputs prompts.csv --out 'out/{row:03}-{param:prompt.text}.{suffix}'",
        .options = joined({{{"--inputs", "FILE", "Parameters from a file, for one run or many: .json, .jsonl, .csv"}},
                           run_options(),
                           output_options(false),
                           {table_option},
                           engine_options()}),
        .run = run_graph};
}

}  // namespace

REGISTER_COMMAND(run, run_command())

}  // namespace app
