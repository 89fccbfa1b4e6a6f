#include "nodes/reference/reference.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "gpu/base/error.h"
#include "nodes/core/document.h"
#include "nodes/core/paths.h"

namespace nodes {
namespace {

constexpr const char* style = R"(
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60em; padding: 1em 2em; color: #1d2126; background: #fff; }
h2 { margin: 2.5em 0 .5em; border-bottom: 2px solid #d8dce2; } h3 { margin: 2em 0 0; } h3 code { color: #667; font-weight: normal; }
table { border-collapse: collapse; width: 100%; margin: .4em 0; } td, th { text-align: left; vertical-align: top; padding: .15em .8em .15em 0; }
td:first-child { width: 12em; } th { color: #667; font-weight: 600; } code { font-size: 90%; } i { color: #667; font-style: normal; }
nav { columns: 3; } @media (prefers-color-scheme: dark) { body { background: #16191d; color: #d5dae0; } a { color: #7fb2ff; } h2 { border-color: #333a42; } }
)";

QString qt(const std::string& text) { return QString::fromStdString(text); }
QString escaped(const std::string& text) { return qt(text).toHtmlEscaped(); }

QString type_link(const SocketType& type) {
    return QStringLiteral("<a href=\"#type-%1\"><span style=\"color:%2\">&#9679;</span> %3</a>").arg(escaped(type.name), escaped(type.colour), escaped(type.title));
}

QString node_link(const Node& node) { return QStringLiteral("<a href=\"#%1\">%2</a>").arg(escaped(node.info().id), escaped(node.info().title)); }

QString table(const char* title, const QString& rows) {
    return rows.isEmpty() ? QString() : QStringLiteral("<table><tr><th colspan=\"2\">%1</th></tr>\n%2</table>\n").arg(title, rows);
}

QString row(const std::string& name, const QString& facts, const std::string& help) {
    return QStringLiteral("<tr><td><code>%1</code></td><td>%2<br>%3</td></tr>\n").arg(escaped(name), facts, escaped(help));
}

QString socket_rows(const std::vector<SocketInfo>& sockets) {
    QString rows;
    for (const SocketInfo& socket : sockets) {
        const char* need = socket.optional ? ", optional" : !socket.initial.empty() ? ", may stay unlinked" : "";
        rows += row(socket.name, type_link(*socket.type) + QStringLiteral("<i>%1</i>").arg(need), socket.help);
    }
    return rows;
}

QString param_rows(const Node& node) {
    QString rows;
    for (const ParamInfo& param : node.params()) {
        QString facts = to_string(param.kind);
        if (QString range = escaped(param.range()).replace("|", " | "); !range.isEmpty()) facts += ": " + range;
        const QString initial = escaped(param.text(param.initial));
        facts += initial.isEmpty() ? QStringLiteral(", initially empty") : QStringLiteral(", initially <code>%1</code>").arg(initial);
        if (param.required) facts += ", required";
        rows += row(param.name, QStringLiteral("<i>%1</i>").arg(facts), param.help);
    }
    return rows;
}

// Which graphs hold which types; what can not be read is left out.
const std::map<std::string, std::vector<std::string>>& examples() {
    static const auto found = [] {
        std::map<std::string, std::vector<std::string>> by_type;
        const std::filesystem::path folder = std::filesystem::path(resource_folder()) / "graphs";
        std::error_code error;
        std::vector<std::filesystem::path> paths;
        for (std::filesystem::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
            if (at->path().extension() == ".heddle") paths.push_back(at->path());
        std::ranges::sort(paths);
        for (const std::filesystem::path& path : paths) {
            try {
                const Document document = Document::load(path.string());
                std::set<std::string> types;
                for (const std::string& id : document.node_ids()) types.insert(document.node(id).type);
                for (const std::string& name : document.subgraph_names())
                    for (const std::string& id : document.subgraph(name)->node_ids()) types.insert(document.subgraph(name)->node(id).type);
                for (const std::string& type : types) by_type[type].push_back(path.lexically_relative(folder).generic_string());
            } catch (const gpu::Error&) {
            }
        }
        return by_type;
    }();
    return found;
}

QString example_line(const std::string& type, bool linked) {
    QStringList names;
    for (const std::string& name : examples_of(type))
        names.push_back(linked ? QStringLiteral("<a href=\"graph:%1\">%1</a>").arg(escaped(name)) : QStringLiteral("<code>%1</code>").arg(escaped(name)));
    return names.isEmpty() ? QString() : QStringLiteral("<p>Examples: %1</p>\n").arg(names.join(", "));
}

QString node_section(const Node& node, bool linked) {
    const NodeInfo& info = node.info();
    return QStringLiteral("<h3 id=\"%1\"><a name=\"%1\"></a>%2 <code>%1</code></h3>\n<p>%3</p>\n").arg(escaped(info.id), escaped(info.title), escaped(info.help)) +
           table("Inputs", socket_rows(node.inputs())) + table("Parameters", param_rows(node)) + table("Outputs", socket_rows(node.outputs())) +
           example_line(info.id, linked);
}

QString node_list(const char* title, const std::vector<const Node*>& nodes) {
    QStringList links;
    for (const Node* node : nodes) links.push_back(node_link(*node));
    return links.isEmpty() ? QString() : QStringLiteral("<p>%1 %2</p>\n").arg(title, links.join(", "));
}

}  // namespace

std::vector<std::string> examples_of(const std::string& type) {
    const auto at = examples().find(type);
    return at == examples().end() ? std::vector<std::string>() : at->second;
}

QString node_html(const Node& node) {
    return node_section(node, true) + QStringLiteral("<p><i>%1, version %2</i></p>\n").arg(escaped(node.info().category)).arg(node.info().version);
}

QString socket_type_html(const SocketType& type) {
    const auto having = [&](const std::vector<SocketInfo>& (Node::*sockets)() const) {
        std::vector<const Node*> found;
        for (const Node* node : node_types())
            if (std::ranges::any_of((node->*sockets)(), [&](const SocketInfo& socket) { return socket.type == &type; })) found.push_back(node);
        return found;
    };
    QStringList taken;
    for (const SocketType* other : socket_types())
        if (other != &type && type.conversion_from(*other)) taken.push_back(type_link(*other));
    return QStringLiteral("<h3 id=\"type-%1\"><a name=\"type-%1\"></a><span style=\"color:%2\">&#9679;</span> %3 <code>%1</code></h3>\n<p>%4</p>\n")
               .arg(escaped(type.name), escaped(type.colour), escaped(type.title), escaped(type.help)) +
           (type.any ? QStringLiteral("<p>A socket of it takes values of every type.</p>\n")
            : taken.isEmpty() ? QString() : QStringLiteral("<p>A socket of it takes %1, too.</p>\n").arg(taken.join(", "))) +
           node_list("Comes from", having(&Node::outputs)) + node_list("Goes into", having(&Node::inputs));
}

QString reference_html() {
    std::map<std::string, std::vector<const Node*>> categories;
    for (const Node* node : node_types()) categories[node->info().category].push_back(node);
    QString index, body;
    for (const auto& [category, list] : categories) {
        index += QStringLiteral("<p><b>%1</b><br>").arg(escaped(category));
        body += QStringLiteral("<h2>%1</h2>\n").arg(escaped(category));
        for (const Node* node : list) {
            index += node_link(*node) + "<br>\n";
            body += node_section(*node, false);
        }
        index += "</p>\n";
    }
    body += "<h2>Types of sockets</h2>\n";
    for (const SocketType* type : socket_types()) body += socket_type_html(*type);
    return QStringLiteral("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
                          "<title>Heddle: nodes</title><style>%1</style></head><body>\n<h1>Heddle: nodes</h1>\n<nav>\n%2</nav>\n%3</body></html>\n")
        .arg(style, index, body);
}

}  // namespace nodes
