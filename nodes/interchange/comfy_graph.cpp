#include "nodes/interchange/comfy_graph.h"

#include <QJsonDocument>
#include <set>

#include "gpu/base/error.h"
#include "nodes/interchange/comfy_class.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::Error;
using gpu::ErrorCode;

constexpr qsizetype most_bytes = 64 << 20;
constexpr qsizetype most_nodes = 5000;

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Where a text that begins at `at` ends: behind its closing quote, or at the end.
qsizetype text_end(const QByteArray& text, qsizetype at) {
    for (++at; at < text.size() && text[at] != '"'; ++at)
        if (text[at] == '\\') ++at;
    return std::min(at + 1, text.size());
}

// Numbers that Qt would round: whole ones of 19 digits and more.
bool is_long_integer(const QByteArray& word) {
    if (word.size() < 19) return false;
    for (const char c : word)
        if (!is_digit(c)) return false;
    return true;
}

// What Python's writer makes of numbers that JSON does not have, as JSON.
QByteArray repaired(const QByteArray& text) {
    QByteArray made;
    made.reserve(text.size());
    for (qsizetype at = text.startsWith("\xef\xbb\xbf") ? 3 : 0; at < text.size();) {
        qsizetype end = at + 1;
        if (text[at] == '"') {
            end = text_end(text, at);
            made += text.mid(at, end - at);
        } else if (is_word(text[at]) || (text[at] == '-' && end < text.size() && is_word(text[end]))) {
            while (end < text.size() && is_word(text[end])) ++end;
            const QByteArray word = text.mid(at, end - at);
            made += word == "NaN" || word == "Infinity" || word == "-Infinity" ? "null" : word;
        } else if (is_digit(text[at])) {
            while (end < text.size() && (is_digit(text[end]) || is_word(text[end]) || text[end] == '.' ||
                                         text[end] == '+' || text[end] == '-'))
                ++end;
            const QByteArray word = text.mid(at, end - at);
            made += is_long_integer(word) ? '"' + word + '"' : word;
        } else {
            made += text[at];
        }
        at = end;
    }
    return made;
}

bool is_prompt(const QJsonObject& root) {
    if (root.isEmpty()) return false;
    for (const QJsonValue value : root)
        if (!value.isObject() || !value.toObject().contains("class_type")) return false;
    return true;
}

bool is_workflow(const QJsonObject& root) { return root["nodes"].isArray() && !root.contains("heddle"); }

QJsonObject request_workflow(const QJsonObject& root) {
    return root["extra_data"].toObject().value("extra_pnginfo").toObject().value("workflow").toObject();
}

bool is_control(const QJsonValue& value) {
    static const std::set<QString> words{"fixed", "increment", "decrement", "randomize"};
    return value.isBool() || words.contains(value.toString());
}

bool fits(const ComfyField& field, const QJsonValue& value) {
    if (field.type == "INT" || field.type == "FLOAT")
        return value.isDouble() || (value.isString() && !value.toString().isEmpty() && value.toString()[0].isDigit());
    if (field.type == "BOOLEAN") return value.isBool() || value.isDouble() || value.isString();
    return value.isString() || value.isDouble() || value.isBool();
}

// One value after the other to the widgets of the class, in its order.
void assign_in_order(ComfyNode& node, const QJsonArray& values, const ComfyClass& known, ComfyGraph& graph) {
    qsizetype at = 0;
    for (const ComfyField& field : known.fields) {
        if (!field.widget() || at >= values.size()) continue;
        const QJsonValue value = values[at++];
        if (value.isNull()) {
        } else if (fits(field, value)) {
            node.make_input(field.name).value = value;
        } else {
            graph.adjusted.push_back(
                {node.id, node.type,
                 gpu::format("{}: expected a value of type {}, got another one: the usual value is taken", field.name,
                             field.type)});
        }
        if (field.control && at < values.size() && is_control(values[at])) ++at;
        if (field.upload && at < values.size() && values[at] == QJsonValue("image")) ++at;
    }
    for (; at < values.size(); ++at) node.surplus.append(values[at]);
    if (!node.surplus.isEmpty())
        graph.adjusted.push_back(
            {node.id, node.type,
             gpu::format("{} more values than this class has widgets were left out", node.surplus.size())});
}

}  // namespace

const ComfyInput* ComfyNode::input(const std::string& name) const {
    for (const ComfyInput& one : inputs)
        if (one.name == name) return &one;
    return nullptr;
}

ComfyInput& ComfyNode::make_input(const std::string& name) {
    for (ComfyInput& one : inputs)
        if (one.name == name) return one;
    return inputs.emplace_back(ComfyInput{.name = name});
}

const ComfyNode* ComfyGraph::find(const std::string& id) const {
    for (const ComfyNode& node : nodes)
        if (node.id == id) return &node;
    return nullptr;
}

ComfyNode* ComfyGraph::find(const std::string& id) { return const_cast<ComfyNode*>(std::as_const(*this).find(id)); }

std::string comfy_id(const QJsonValue& value, const std::string& where) {
    if (value.isString() && !value.toString().isEmpty() && value.toString().size() <= 256)
        return value.toString().toStdString();
    check(value.isDouble(), ErrorCode::BadFile, "{}: expected an id, a number or a text, got something else", where);
    return std::to_string(value.toInteger());
}

QJsonObject read_comfy_json(const QByteArray& text) {
    check(text.size() <= most_bytes, ErrorCode::BadFile, "expected a workflow of at most {} bytes, got {}", most_bytes,
          text.size());
    const QByteArray clean = repaired(text);
    QJsonParseError error;
    const QJsonDocument json = QJsonDocument::fromJson(clean, &error);
    if (error.error != QJsonParseError::NoError) {
        const QByteArray before = clean.left(error.offset);
        throw Error(ErrorCode::BadFile, "expected JSON, got an error at line {}, column {}: {}", before.count('\n') + 1,
                    before.size() - before.lastIndexOf('\n'), error.errorString().toStdString());
    }
    check(json.isObject(), ErrorCode::BadFile, "expected a JSON object, got a list");
    return json.object();
}

bool is_comfy_json(const QJsonObject& root) {
    return is_workflow(root) || is_prompt(root) || is_workflow(request_workflow(root)) ||
           is_prompt(root["prompt"].toObject());
}

ComfyGraph read_comfy_graph(const QJsonObject& root) {
    if (is_workflow(root)) return read_comfy_workflow(root);
    if (is_prompt(root)) return read_comfy_prompt(root);
    if (is_workflow(request_workflow(root))) return read_comfy_workflow(request_workflow(root));
    if (is_prompt(root["prompt"].toObject())) return read_comfy_prompt(root["prompt"].toObject());
    throw Error(
        ErrorCode::BadFile,
        "expected a ComfyUI workflow (a list \"nodes\") or prompt (nodes with a \"class_type\"), got other JSON");
}

void assign_widgets(ComfyNode& node, const QJsonValue& values, const std::vector<std::string>& widget_inputs,
                    ComfyGraph& graph) {
    if (values.isObject()) {
        const QJsonObject named = values.toObject();
        for (auto at = named.begin(); at != named.end(); ++at)
            if (!at.value().isNull()) node.make_input(at.key().toStdString()).value = at.value();
        return;
    }
    const QJsonArray list = values.toArray();
    if (const ComfyClass* known = find_comfy_class(node.type)) return assign_in_order(node, list, *known, graph);
    QJsonArray plain;
    for (const QJsonValue value : list)
        if (!value.isString() || !is_control(value)) plain.append(value);
    // Newer files name the widgets of a node among its inputs. Where the counts differ, nothing tells which is which.
    if (plain.size() == static_cast<qsizetype>(widget_inputs.size())) {
        for (qsizetype i = 0; i < plain.size(); ++i)
            node.make_input(widget_inputs[static_cast<std::size_t>(i)]).value = plain[i];
    } else {
        node.surplus = list;
    }
}

ComfyGraph read_comfy_prompt(const QJsonObject& root) {
    check(root.size() <= most_nodes, ErrorCode::BadFile, "expected at most {} nodes, got {}", most_nodes, root.size());
    ComfyGraph graph{.form = "API"};
    for (auto at = root.begin(); at != root.end(); ++at) {
        const std::string where = "node " + at.key().toStdString();
        const QJsonObject fields = at.value().toObject();
        check(!at.key().isEmpty() && at.key().size() <= 256, ErrorCode::BadFile,
              "expected ids of 1 to 256 letters, got one of {}", at.key().size());
        check(fields["class_type"].isString() && !fields["class_type"].toString().isEmpty(), ErrorCode::BadFile,
              "{}: expected a text 'class_type', got something else", where);
        check(fields["inputs"].isObject() || !fields.contains("inputs"), ErrorCode::BadFile,
              "{}: expected an object 'inputs', got something else", where);
        ComfyNode node{
            .id = at.key().toStdString(), .type = fields["class_type"].toString().toStdString(), .entry = {}};
        node.entry = node.type;
        node.title = fields["_meta"].toObject().value("title").toString().toStdString();
        const QJsonObject inputs = fields["inputs"].toObject();
        for (auto input = inputs.begin(); input != inputs.end(); ++input) {
            ComfyInput& made = node.make_input(input.key().toStdString());
            const QJsonArray pair = input.value().toArray();
            if (pair.size() == 2 && (pair[0].isString() || pair[0].isDouble()) && pair[1].isDouble()) {
                made.source = ComfySource{comfy_id(pair[0], where),
                                          static_cast<int>(std::clamp<qint64>(pair[1].toInteger(), -1, 1 << 20))};
            } else {
                const QJsonValue wrapped = input.value().toObject().value("__value__");
                made.value = wrapped.isUndefined() ? input.value() : wrapped;
            }
        }
        graph.nodes.push_back(std::move(node));
    }
    for (ComfyNode& node : graph.nodes)
        for (ComfyInput& input : node.inputs)
            if (input.source && !root.contains(QString::fromStdString(input.source->node))) {
                graph.adjusted.push_back({node.id, node.type,
                                          gpu::format("{}: the link comes from node {}, which there is not", input.name,
                                                      input.source->node)});
                input.source.reset();
            }
    return graph;
}

}  // namespace nodes
