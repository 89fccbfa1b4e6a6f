// heddle validate: everything that is wrong with a graph, without running it.
#include <QJsonArray>
#include <QJsonObject>

#include "app/cli/command.h"
#include "app/cli/graph_options.h"
#include "app/cli/set_values.h"
#include "gpu/base/error.h"
#include "nodes/core/validate.h"

namespace app {
namespace {

int validate_graph(const Arguments& arguments) {
    nodes::Document document = load_graph(arguments.only("GRAPH"));
    std::vector<std::string> files;
    for (const std::string& assignment : given_sets(arguments)) document = apply_set(document, assignment, files);
    std::vector<nodes::Problem> problems = nodes::validate(document);
    const bool invalid = nodes::has_errors(problems);
    for (nodes::Problem& missing : nodes::missing_files(document)) problems.push_back(std::move(missing));

    if (arguments.has("--json")) {
        QJsonArray list;
        for (const nodes::Problem& problem : problems)
            list.append(QJsonObject{{"code", nodes::to_string(problem.kind)},
                                    {"severity", problem.severity == nodes::Severity::Error ? "error" : "warning"},
                                    {"id", QString::fromStdString(problem.node)},
                                    {"port", QString::fromStdString(problem.socket)},
                                    {"message", QString::fromStdString(problem.message)}});
        print_json(QJsonObject{{"valid", !nodes::has_errors(problems)}, {"problems", list}});
    } else {
        for (const nodes::Problem& problem : problems) print_line(problem.text());
        if (problems.empty())
            print_line(gpu::format("ok: {} nodes, {} links", document.node_ids().size(), document.links().size()));
    }
    if (invalid) return gpu::exit_code(gpu::ErrorCode::InvalidGraph);
    return nodes::has_errors(problems) ? gpu::exit_code(gpu::ErrorCode::MissingFile) : 0;
}

}  // namespace

REGISTER_COMMAND(validate,
                 {.name = "validate",
                  .arguments = "GRAPH",
                  .summary = "Prints everything that is wrong with a graph",
                  .help = "Checks node types, links, types, ranges and input files without running anything.\n"
                          "Exit status: 0 no errors, 3 an invalid graph, 4 a missing file.",
                  .options = {{"--set", "NODE.param=VALUE", "Change a parameter first; =@FILE takes the text of a file", "", true}, json_option},
                  .run = validate_graph})

}  // namespace app
