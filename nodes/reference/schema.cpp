#include "nodes/reference/schema.h"

#include <QJsonArray>
#include <cmath>

#include "nodes/core/node.h"

namespace nodes {
namespace {

QString qt(const std::string& text) { return QString::fromStdString(text); }

QJsonObject param_schema(const ParamInfo& info) {
    QJsonObject schema{{"description", qt(info.help)}, {"default", info.initial}};
    switch (info.kind) {
        case ParamKind::Bool: schema["type"] = "boolean"; break;
        case ParamKind::Int: schema["type"] = "integer"; break;
        case ParamKind::Number: schema["type"] = "number"; break;
        case ParamKind::Seed:      // from 2^53 on a text
            schema["type"] = QJsonArray{"integer", "string"};
            schema["minimum"] = 0;
            schema["pattern"] = "^[0-9]{1,20}$";
            break;
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
    // Numbers may be computed (expression.h).
    const bool computed = info.kind == ParamKind::Bool || info.kind == ParamKind::Int || info.kind == ParamKind::Number || info.kind == ParamKind::Seed;
    if (!computed) return schema;
    QJsonObject plain = schema;
    for (const char* key : {"description", "default"}) plain.remove(QLatin1String(key));
    return {{"description", schema["description"]}, {"default", schema["default"]},
            {"anyOf", QJsonArray{plain, QJsonObject{{"$ref", "#/$defs/expression"}}}}};
}

// What holds for nodes of one type in its present version.
QJsonObject node_rule(const Node& node) {
    QJsonObject params;
    for (const ParamInfo& param : node.params()) params[qt(param.name)] = param_schema(param);
    QJsonObject matches{{"properties", QJsonObject{{"type", QJsonObject{{"const", qt(node.info().id)}}}, {"version", QJsonObject{{"const", node.info().version}}}}}};
    // A node without a version is of the first one, whose parameters may have been others.
    matches["required"] = node.info().version > 1 ? QJsonArray{"type", "version"} : QJsonArray{"type"};
    return {{"if", matches}, {"then", QJsonObject{{"properties", QJsonObject{{"params", QJsonObject{{"properties", params}, {"additionalProperties", false}}}}}}}};
}

}  // namespace

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
    const QJsonObject expression{{"type", "object"}, {"description", "Computed: \"other.steps * 2\""}, {"required", QJsonArray{"="}},
                                 {"properties", QJsonObject{{"=", QJsonObject{{"type", "string"}}}}}, {"additionalProperties", false}};
    const QJsonObject nodes{{"type", "object"}, {"additionalProperties", QJsonObject{{"$ref", "#/$defs/node"}}}};
    const QJsonObject links{{"type", "array"}, {"items", QJsonObject{{"$ref", "#/$defs/link"}}}};
    const QJsonObject layout{{"type", "object"}, {"additionalProperties", QJsonObject{{"type", "object"}}}};
    QJsonObject frame_fields;
    for (const char* field : {"title", "colour", "frame"}) frame_fields[QLatin1String(field)] = QJsonObject{{"type", "string"}};
    for (const char* field : {"width", "height"}) frame_fields[QLatin1String(field)] = QJsonObject{{"type", "number"}, {"minimum", 0}};
    const QJsonObject frame{{"type", "object"}, {"properties", frame_fields}};
    const QJsonObject frames{{"type", "object"}, {"additionalProperties", frame}};
    const QJsonObject content{{"nodes", nodes}, {"links", links}, {"layout", layout}, {"frames", frames}};
    QJsonObject subgraph = content, whole = content;
    subgraph["params"] = QJsonObject{{"type", "object"}, {"additionalProperties", end}};
    whole["heddle"] = QJsonObject{{"type", "integer"}, {"minimum", 1}};
    whole["subgraphs"] = QJsonObject{{"type", "object"}, {"additionalProperties", QJsonObject{{"type", "object"}, {"properties", subgraph}}}};
    return {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
            {"title", "Heddle graph"},
            {"type", "object"},
            {"required", QJsonArray{"heddle"}},
            {"properties", whole},
            {"$defs", QJsonObject{{"node", node}, {"link", link}, {"expression", expression}}}};
}

}  // namespace nodes
