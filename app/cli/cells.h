// The runs of a sweep, or of a file of inputs: one graph with different values, one after another, each with files of its
// own.
#pragma once

#include <QJsonObject>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/arguments.h"
#include "app/cli/run_setup.h"
#include "nodes/core/executor.h"

namespace app {

struct Cell {
    nodes::Document document;                                   // with the values
    std::vector<std::pair<std::string, std::string>> params{};  // what is particular to it: "sample.steps", as --set takes it
    std::vector<std::string> files{};                           // that it may read and write, beside those of all
    std::vector<std::string> folders{};                         // to be made before it runs
    nodes::RunResult result{};
};

// -o and --out, which say where cells write their files; `numbered`: what a run by itself would call out.png is out-001.png.
std::vector<Option> output_options(bool numbered);

// Applies them; without them the files of several cells get the cell's number, also inside of subgraphs. Throws
// gpu::Error{Usage} for a template that gives two files one path.
void name_files(std::vector<Cell>& cells, bool several, const Arguments& arguments, const RunSetup& setup);

// What the paths of --out start from and are made of, beside the cells.
struct TemplateScope {
    std::string graph;                      // path of the graph's file, "-" for none
    std::vector<std::string> targets;       // nodes that run; empty: the default ones
    std::string folder;                     // of relative paths; empty: the current one
};

// Gives every file that a cell writes the path that the template says. Throws gpu::Error{Usage} as OutputTemplate does, for
// two files with one path and where no node writes a file.
void apply_template(std::vector<Cell>& cells, const std::string& out, const TemplateScope& scope);

// Makes the cell's folders and runs it. Throws gpu::Error{Io} for a folder that can not be made.
void run_cell(Cell& cell, const nodes::RunOptions& options);

// 0 where all are done, 10 where some are, else what the first one says.
int exit_code_of(const std::vector<Cell>& cells);
// Of a process whose run a signal stopped (0: something else did): 75 where the run left a checkpoint, else 128 and the signal.
int stopped_exit_code(const nodes::RunResult& result, int signal);

// Parameters, metrics, files and errors of a cell that has run.
QJsonObject cell_json(const Cell& cell);

inline const Option table_option{"--table", "FILE", "A table of values, numbers and files, a row a run: .csv or .json"};

// One row a cell, as JSON or (by the suffix) CSV: parameters, all metrics, files, exit status. Throws gpu::Error{Io}.
void write_table(const std::string& path, const std::vector<Cell>& cells);

// "sample.steps=5  prompt.text=red heart"
std::string params_text(const Cell& cell);

}  // namespace app
