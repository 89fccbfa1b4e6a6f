#include "app/cli/input_cells.h"

#include <algorithm>
#include <map>
#include <set>

#include "app/cli/graph_options.h"
#include "gpu/base/error.h"
#include "nodes/core/node.h"
#include "nodes/core/validate.h"

namespace app {
namespace {

using gpu::Error;
using gpu::ErrorCode;

constexpr std::size_t most_lines = 50;      // of a message

// Throws where there is something to say.
void expect_none(ErrorCode code, const std::vector<std::string>& problems) {
    if (problems.empty()) return;
    std::string text = gpu::format("--inputs: {} problem{}, nothing was run", problems.size(), problems.size() == 1 ? "" : "s");
    for (std::size_t i = 0; i < std::min(problems.size(), most_lines); ++i) text += "\n  " + problems[i];
    if (problems.size() > most_lines) text += gpu::format("\n  and {} more", problems.size() - most_lines);
    throw Error(code, text);
}

// Parameters that the graph does not have, each once.
std::set<std::string> unknown_columns(const InputRows& inputs, const nodes::Document& document, std::vector<std::string>& problems) {
    std::set<std::string> seen, unknown;
    for (const InputRow& row : inputs.rows)
        for (const auto& [name, value] : row.values) {
            if (!seen.insert(name).second) continue;
            try {
                find_param(document, name);
            } catch (const Error& error) {
                unknown.insert(name);
                problems.push_back("column " + name + ": " + error.message());
            }
        }
    return unknown;
}

// Problems of each row's graph. What all rows share is said once.
std::vector<std::string> graph_problems(const std::vector<Cell>& cells, const InputRows& inputs, const RunSetup& setup) {
    std::map<std::string, std::size_t> rows_with;
    std::vector<std::vector<std::string>> of_row;
    for (const Cell& cell : cells) {
        std::set<std::string> found;
        for (const nodes::Problem& problem : nodes::validate(cell.document, setup.options.targets))
            if (problem.severity == nodes::Severity::Error)
                found.insert(nodes::NodeFailure{.node = problem.node, .socket = problem.socket, .message = problem.message}.text());
        for (const std::string& text : found) ++rows_with[text];
        of_row.emplace_back(found.begin(), found.end());
    }
    std::vector<std::string> problems;
    for (const auto& [text, rows] : rows_with)
        if (rows == cells.size()) problems.push_back((cells.size() > 1 ? "every row: " : "") + text);
    for (std::size_t i = 0; i < cells.size(); ++i)
        for (const std::string& text : of_row[i])
            if (rows_with[text] < cells.size()) problems.push_back(inputs.name_of(i) + ", " + text);
    return problems;
}

std::vector<std::string> missing_inputs(const std::vector<Cell>& cells, const InputRows& inputs) {
    std::vector<std::string> problems;
    for (std::size_t i = 0; i < cells.size(); ++i)
        for (const nodes::Problem& problem : nodes::missing_files(cells[i].document)) {
            const std::string name = problem.node + "." + problem.socket;
            if (std::ranges::count(cells[i].params, name, [](const auto& param) { return param.first; }))
                problems.push_back(inputs.name_of(i) + ", " + name + ": " + problem.message);
        }
    return problems;
}

}  // namespace

std::vector<Cell> cells_of(const InputRows& inputs, const RunSetup& setup) {
    std::vector<std::string> problems = inputs.problems;
    const std::set<std::string> unknown = unknown_columns(inputs, setup.document, problems);
    std::vector<Cell> cells;
    for (std::size_t i = 0; i < inputs.rows.size(); ++i) {
        Cell cell{.document = setup.document, .params = inputs.rows[i].values};
        for (const auto& [name, value] : cell.params) {
            if (unknown.contains(name)) continue;
            try {
                cell.document = apply_param(cell.document, name, value, cell.files);
            } catch (const Error& error) {
                problems.push_back(inputs.name_of(i) + ", " + name + ": " + error.message());
            }
        }
        for (const std::string& assignment : setup.sets) cell.document = apply_set(cell.document, assignment, cell.files);
        cells.push_back(std::move(cell));
    }
    expect_none(ErrorCode::Usage, problems);
    expect_none(ErrorCode::InvalidGraph, graph_problems(cells, inputs, setup));
    expect_none(ErrorCode::MissingFile, missing_inputs(cells, inputs));
    return cells;
}

}  // namespace app
