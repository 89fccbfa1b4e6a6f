// heddle nodes: the catalogue of node types.
#include <QJsonArray>

#include "app/cli/catalogue.h"
#include "app/cli/command.h"
#include "gpu/io/atomic_file.h"
#include "nodes/reference/reference.h"
#include "nodes/reference/schema.h"

namespace app {
namespace {

int list_nodes(const Arguments& arguments) {
    arguments.expect_count(0, 0, "no argument");
    if (const auto file = arguments.value("--html")) {
        gpu::write_file(*file, nodes::reference_html().toStdString());
        print_line("wrote " + *file);
        return 0;
    }
    if (arguments.has("--schema")) {
        print_json(nodes::document_schema());
        return 0;
    }
    if (arguments.has("--json")) {
        QJsonArray types, sockets;
        for (const nodes::Node* node : nodes::node_types()) types.append(node_json(*node));
        for (const nodes::SocketType* type : nodes::socket_types()) {
            QJsonArray accepts;
            for (const nodes::Conversion& conversion : type->accepts)
                accepts.append(QString::fromStdString(conversion.from));
            sockets.append(QJsonObject{{"name", QString::fromStdString(type->name)},
                                       {"title", QString::fromStdString(type->title)},
                                       {"colour", QString::fromStdString(type->colour)},
                                       {"help", QString::fromStdString(type->help)},
                                       {"accepts", accepts}});
        }
        print_json(QJsonObject{{"nodes", types}, {"types", sockets}});
        return 0;
    }
    std::vector<std::vector<std::string>> rows;
    for (const nodes::Node* node : nodes::node_types())
        rows.push_back({node->info().id, node->info().category, node->info().help});
    const std::string text = table_text(rows);
    if (!text.empty()) print_line(text.substr(0, text.size() - 1));
    return 0;
}

}  // namespace

REGISTER_COMMAND(nodes,
                 {.name = "nodes",
                  .summary = "Lists the node types",
                  .options = {json_option,
                              {"--html", "FILE", "Write the reference of all nodes as one page"},
                              {"--schema", "", "Print the JSON schema of graph files"}},
                  .run = list_nodes})

}  // namespace app
