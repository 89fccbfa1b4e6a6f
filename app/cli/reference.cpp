#include "app/cli/reference.h"

#include <QJsonArray>
#include <cmath>
#include <map>

#include "nodes/core/node.h"

namespace app {
namespace {

using namespace nodes;

QString qt(const std::string& text) { return QString::fromStdString(text); }
QString escaped(const std::string& text) { return qt(text).toHtmlEscaped(); }

// --- the page ---

constexpr const char* style = R"(
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60em; padding: 1em 2em; color: #1d2126; background: #fff; }
h2 { margin: 2.5em 0 .5em; border-bottom: 2px solid #d8dce2; } h3 { margin: 2em 0 0; } h3 code { color: #667; font-weight: normal; }
table { border-collapse: collapse; width: 100%; margin: .4em 0; } td, th { text-align: left; vertical-align: top; padding: .15em .8em .15em 0; }
th { color: #667; font-weight: 600; } code { font-size: 90%; } .dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em; }
nav { columns: 3; } @media (prefers-color-scheme: dark) { body { background: #16191d; color: #d5dae0; } a { color: #7fb2ff; } h2 { border-color: #333a42; } }
)";

QString type_cell(const SocketType& type) {
    return QStringLiteral("<span class=\"dot\" style=\"background:%1\"></span>%2").arg(escaped(type.colour), escaped(type.title));
}

QString sockets_table(const char* title, const std::vector<SocketInfo>& sockets) {
    if (sockets.empty()) return {};
    QString html = QStringLiteral("<table><tr><th colspan=\"3\">%1</th></tr>\n").arg(title);
    for (const SocketInfo& socket : sockets)
        html += QStringLiteral("<tr><td><code>%1</code></td><td>%2%3</td><td>%4</td></tr>\n")
                    .arg(escaped(socket.name), type_cell(*socket.type), socket.optional ? ", optional" : "", escaped(socket.help));
    return html + "</table>\n";
}

QString params_table(const std::vector<ParamInfo>& params) {
    if (params.empty()) return {};
    QString html = "<table><tr><th>Parameter</th><th>Type</th><th>Initially</th><th></th></tr>\n";
    for (const ParamInfo& param : params) {
        QString range = escaped(param.range()).replace("|", " | ");
        html += QStringLiteral("<tr><td><code>%1</code></td><td>%2%3</td><td>%4</td><td>%5</td></tr>\n")
                    .arg(escaped(param.name), to_string(param.kind), range.isEmpty() ? range : ": " + range, escaped(param.text(param.initial)), escaped(param.help));
    }
    return html + "</table>\n";
}

QString node_section(const Node& node) {
    const NodeInfo& info = node.info();
    return QStringLiteral("<h3 id=\"%1\">%2 <code>%1</code></h3>\n<p>%3</p>\n").arg(escaped(info.id), escaped(info.title), escaped(info.help)) +
           sockets_table("Inputs", node.inputs()) + params_table(node.params()) + sockets_table("Outputs", node.outputs());
}

// --- the schema ---

QJsonObject param_schema(const ParamInfo& info) {
    QJsonObject schema{{"description", qt(info.help)}, {"default", info.initial}};
    switch (info.kind) {
        case ParamKind::Bool: schema["type"] = "boolean"; break;
        case ParamKind::Int: schema["type"] = "integer"; break;
        case ParamKind::Number: schema["type"] = "number"; break;
        case ParamKind::Seed: schema["type"] = QJsonArray{"integer", "string"}; break;
        case ParamKind::Color:
            schema["type"] = "string";
            schema["pattern"] = "^#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})$";
            break;
        case ParamKind::Choice: {
            QJsonArray choices;
            for (const std::string& choice : info.choices) choices.append(qt(choice));
            schema["enum"] = choices;
            break;
        }
        case ParamKind::Text:
        case ParamKind::InputFile:
        case ParamKind::OutputFile: schema["type"] = "string"; break;
    }
    if (std::isfinite(info.min)) schema["minimum"] = info.min;
    if (std::isfinite(info.max)) schema["maximum"] = info.max;
    return schema;
}

// What holds for nodes of one type in its present version.
QJsonObject node_rule(const Node& node) {
    QJsonObject params;
    for (const ParamInfo& param : node.params()) params[qt(param.name)] = param_schema(param);
    const QJsonObject matches{{"properties", QJsonObject{{"type", QJsonObject{{"const", qt(node.info().id)}}}, {"version", QJsonObject{{"const", node.info().version}}}}}};
    return {{"if", matches}, {"then", QJsonObject{{"properties", QJsonObject{{"params", QJsonObject{{"properties", params}, {"additionalProperties", false}}}}}}}};
}

}  // namespace

QString reference_html() {
    std::map<std::string, std::vector<const Node*>> categories;
    for (const Node* node : node_types()) categories[node->info().category].push_back(node);
    QString index, body;
    for (const auto& [category, list] : categories) {
        index += QStringLiteral("<p><b>%1</b><br>").arg(escaped(category));
        body += QStringLiteral("<h2>%1</h2>\n").arg(escaped(category));
        for (const Node* node : list) {
            index += QStringLiteral("<a href=\"#%1\">%2</a><br>\n").arg(escaped(node->info().id), escaped(node->info().title));
            body += node_section(*node);
        }
        index += "</p>\n";
    }
    QString types = "<h2>Types of sockets</h2>\n<table>\n";
    for (const SocketType* type : socket_types())
        types += QStringLiteral("<tr><td>%1</td><td><code>%2</code></td><td>%3</td></tr>\n").arg(type_cell(*type), escaped(type->name), escaped(type->help));
    return QStringLiteral("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
                          "<title>Heddle: nodes</title><style>%1</style></head><body>\n<h1>Heddle: nodes</h1>\n<nav>\n%2</nav>\n%3%4</table>\n</body></html>\n")
        .arg(style, index, body, types);
}

QJsonObject document_schema() {
    QJsonArray rules;
    for (const Node* node : node_types()) rules.append(node_rule(*node));
    const QJsonObject node{{"type", "object"},
                           {"required", QJsonArray{"type"}},
                           {"properties", QJsonObject{{"type", QJsonObject{{"type", "string"}, {"minLength", 1}}},
                                                      {"version", QJsonObject{{"type", "integer"}, {"minimum", 1}}},
                                                      {"mode", QJsonObject{{"enum", QJsonArray{"muted", "bypassed"}}}},
                                                      {"params", QJsonObject{{"type", "object"}}}}},
                           {"allOf", rules}};
    const QJsonObject end{{"type", "string"}, {"pattern", "^[^.]+\\.[^.]+$"}};
    const QJsonObject link{{"type", "object"}, {"required", QJsonArray{"from", "to"}}, {"properties", QJsonObject{{"from", end}, {"to", end}}}};
    const QJsonObject nodes{{"type", "object"}, {"additionalProperties", QJsonObject{{"$ref", "#/$defs/node"}}}};
    const QJsonObject links{{"type", "array"}, {"items", QJsonObject{{"$ref", "#/$defs/link"}}}};
    const QJsonObject layout{{"type", "object"}, {"additionalProperties", QJsonObject{{"type", "object"}}}};
    const QJsonObject frame{{"type", "object"}, {"properties", QJsonObject{{"title", QJsonObject{{"type", "string"}}}, {"colour", QJsonObject{{"type", "string"}}}}}};
    const QJsonObject frames{{"type", "object"}, {"additionalProperties", frame}};
    const QJsonObject content{{"nodes", nodes}, {"links", links}, {"layout", layout}, {"frames", frames}};
    QJsonObject subgraph = content, whole = content;
    subgraph["params"] = QJsonObject{{"type", "object"}, {"additionalProperties", end}};
    whole["heddle"] = QJsonObject{{"type", "integer"}, {"minimum", 1}};
    whole["subgraphs"] = QJsonObject{{"type", "object"}, {"additionalProperties", QJsonObject{{"type", "object"}, {"properties", subgraph}}}};
    return {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
            {"title", "Heddle graph"},
            {"type", "object"},
            {"required", QJsonArray{"heddle", "nodes"}},
            {"properties", whole},
            {"$defs", QJsonObject{{"node", node}, {"link", link}}}};
}

}  // namespace app
