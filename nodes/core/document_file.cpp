// The file form of a document: see document.h.
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <algorithm>
#include <filesystem>
#include <limits>
#include <tuple>

#include "gpu/base/error.h"
#include "gpu/io/atomic_file.h"
#include "nodes/core/document.h"
#include "nodes/core/json_text.h"
#include "nodes/core/node.h"

namespace nodes {
namespace {

using gpu::Error;
using gpu::ErrorCode;

QString text_of(const std::string& text) { return QString::fromStdString(text); }

template <typename... Args>
[[noreturn]] void bad_file(std::string_view text, const Args&... args) {
    throw Error(ErrorCode::BadFile, text, args...);
}

// Takes a member out of an object, so that what remains is what this program does not know.
QJsonValue take(QJsonObject& object, const char* key) { return object.take(QLatin1String(key)); }

QJsonObject take_object(QJsonObject& object, const char* key, const std::string& where) {
    const QJsonValue value = take(object, key);
    if (!value.isObject() && !value.isUndefined())
        bad_file("{}: expected an object '{}', got something else", where, key);
    return value.toObject();
}

NodeRecord read_record(const std::string& id, const QJsonValue& value) {
    const std::string where = "node '" + id + "'";
    if (!valid_node_id(id)) bad_file("{}: expected an id of letters, digits, '_' and '-', 1 to 64 bytes", where);
    if (!value.isObject()) bad_file("{}: expected an object", where);
    QJsonObject fields = value.toObject();
    const QJsonValue type = take(fields, "type");
    const QJsonValue version = take(fields, "version");
    if (!type.isString() || type.toString().isEmpty()) bad_file("{}: expected a text 'type'", where);
    if (!version.isUndefined() && version.toInt(0) < 1)
        bad_file("{}: expected a whole number 'version' from 1 to {}", where, std::numeric_limits<int>::max());
    NodeRecord record{.id = id, .type = type.toString().toStdString(), .version = version.toInt(1)};
    record.params = take_object(fields, "params", where);
    const QJsonValue mode = take(fields, "mode");
    if (mode == "muted")
        record.mode = NodeMode::Muted;
    else if (mode == "bypassed")
        record.mode = NodeMode::Bypassed;
    else if (!mode.isUndefined())
        fields["mode"] = mode;  // of a newer Heddle
    record.extra = fields;
    return record;
}

Link read_link(const QJsonValue& value) {
    QJsonObject fields = value.toObject();
    const QJsonValue from = take(fields, "from");
    const QJsonValue to = take(fields, "to");
    if (!from.isString() || !to.isString())
        bad_file("links: expected objects with the texts 'from' and 'to', got {}",
                 QJsonDocument(QJsonArray{value}).toJson(QJsonDocument::Compact).toStdString());
    return {Endpoint::parse(from.toString().toStdString()), Endpoint::parse(to.toString().toStdString()), fields};
}

// Brings a node to today's version of its type; one of an unknown or a newer type stays as it is.
NodeRecord upgraded(NodeRecord record) {
    const Node* type = find_node_type(record.type);
    if (!type || record.version >= type->info().version) return record;
    record.params = normalised(type->upgrade(record.params, record.version)).toObject();
    record.version = type->info().version;
    return record;
}

QJsonObject parse(const QByteArray& text) {
    QJsonParseError error;
    const QJsonDocument json = QJsonDocument::fromJson(text, &error);
    if (error.error != QJsonParseError::NoError) {
        const QByteArray before = text.left(error.offset);
        bad_file("expected JSON, got an error at line {}, column {}: {}", before.count('\n') + 1,
                 before.size() - before.lastIndexOf('\n'), error.errorString().toStdString());
    }
    if (const std::string twice = repeated_key(text); !twice.empty())
        bad_file("expected each name once, got '{}' twice", twice);
    QJsonObject root = normalised(json.object()).toObject();
    if (!root.contains("heddle"))
        bad_file("expected a Heddle document (an object with \"heddle\": {}), got other JSON", document_format);
    return root;
}

}  // namespace

// What a document and a subgraph have in common; takes what it knows out of `root`.
Document Document::from_object(QJsonObject& root, const std::string& where) {
    Document result;
    NodeMap nodes;
    const QJsonObject records = take_object(root, "nodes", where);
    for (auto at = records.begin(); at != records.end(); ++at) {
        const std::string id = at.key().toStdString();
        nodes.emplace(id, std::make_shared<const NodeRecord>(upgraded(read_record(id, at.value()))));
    }
    std::vector<Link> links;
    const QJsonValue list = take(root, "links");
    if (!list.isArray() && !list.isUndefined()) bad_file("{}: expected a list 'links', got something else", where);
    for (const QJsonValue link : list.toArray()) links.push_back(read_link(link));
    std::ranges::stable_sort(
        links, [](const Link& a, const Link& b) { return std::tie(a.to, a.from) < std::tie(b.to, b.from); });

    LayoutMap layout;
    const QJsonObject places = take_object(root, "layout", where);
    for (auto at = places.begin(); at != places.end(); ++at) {
        if (!at.value().isObject()) bad_file("layout: expected an object for '{}'", at.key().toStdString());
        layout.emplace(at.key().toStdString(), at.value().toObject());
    }
    result.nodes_ = std::make_shared<const NodeMap>(std::move(nodes));
    result.links_ = std::make_shared<const std::vector<Link>>(std::move(links));
    result.layout_ = std::make_shared<const LayoutMap>(std::move(layout));
    result.extra_ = root;
    return result;
}

Document Document::from_json(const QByteArray& text, const std::string& path) {
    try {
        QJsonObject root = parse(text);
        const int format = take(root, "heddle").toInt(0);
        if (format < 1) bad_file("expected a whole number from 1 as \"heddle\"");
        std::map<std::string, std::shared_ptr<const Document>> subgraphs;
        const QJsonObject inner = take_object(root, "subgraphs", "document");
        for (auto at = inner.begin(); at != inner.end(); ++at) {
            const std::string name = at.key().toStdString(), where = "subgraph '" + name + "'";
            if (!valid_node_id(name)) bad_file("{}: expected a name of letters, digits, '_' and '-', 1 to 64 bytes", where);
            if (!at.value().isObject()) bad_file("{}: expected an object", where);
            QJsonObject content = at.value().toObject();
            subgraphs[name] = std::make_shared<const Document>(from_object(content, where));
        }
        Document result = from_object(root, "document");
        result.path_ = path;
        result.format_ = format;
        result.set_subgraphs(std::move(subgraphs));
        return result;
    } catch (Error& error) {
        // A malformed file is a bad file, also where a shared helper called it a bad graph.
        Error outer(ErrorCode::BadFile, error.message());
        for (const std::string& place : error.context()) outer.in(place);
        throw outer.in("read document " + (path.empty() ? std::string("from text") : path));
    }
}

Document Document::load(const std::string& path) {
    QFile file(text_of(path));
    if (!file.exists()) throw Error(ErrorCode::MissingFile, "read document: expected a file, there is no {}", path);
    if (!file.open(QIODevice::ReadOnly))
        throw Error(ErrorCode::Io, "read document {}: {}", path, file.errorString().toStdString());
    const QByteArray text = file.readAll();
    if (file.error() != QFileDevice::NoError)
        throw Error(ErrorCode::Io, "read document {}: {}", path, file.errorString().toStdString());
    return from_json(text, path);
}

QJsonObject Document::to_object() const {
    QJsonObject nodes;
    for (const auto& [id, record] : *nodes_) {
        QJsonObject fields = record->extra;
        fields["type"] = text_of(record->type);
        fields["version"] = record->version;
        if (!record->params.isEmpty()) fields["params"] = record->params;
        if (record->mode != NodeMode::On) fields["mode"] = record->mode == NodeMode::Muted ? "muted" : "bypassed";
        nodes[text_of(id)] = fields;
    }
    QJsonArray links;
    for (const Link& link : *links_) {
        QJsonObject fields = link.extra;
        fields["from"] = text_of(link.from.text());
        fields["to"] = text_of(link.to.text());
        links.append(fields);
    }
    QJsonObject layout;
    for (const auto& [id, fields] : *layout_) layout[text_of(id)] = fields;

    QJsonObject root = extra_;
    root["nodes"] = nodes;
    root["links"] = links;
    if (!layout.isEmpty()) root["layout"] = layout;
    return root;
}

QByteArray Document::to_json() const {
    QJsonObject subgraphs;
    for (const auto& [name, subgraph] : *subgraphs_) subgraphs[text_of(name)] = subgraph.content->to_object();
    QJsonObject root = to_object();
    root["heddle"] = format_;
    if (!subgraphs.isEmpty()) root["subgraphs"] = subgraphs;
    return canonical_json(root) + "\n";
}

void Document::save(const std::string& path) const {
    try {
        gpu::write_file(path, to_json().toStdString());
    } catch (Error& error) {
        throw error.in("save document " + path);
    }
}

}  // namespace nodes
