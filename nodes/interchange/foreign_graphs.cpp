#include "nodes/interchange/foreign_graphs.h"

#include <QByteArray>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>

#include "gpu/base/error.h"
#include "nodes/interchange/comfy_graph.h"
#include "nodes/interchange/comfy_import.h"
#include "nodes/interchange/infotext.h"

namespace nodes {
namespace {

using Kind = ForeignGraph::Kind;

QString trimmed(const std::string& text) { return QString::fromStdString(text).trimmed(); }

// "workflow: {...}" -> "workflow"; empty where no such name stands before an object.
QString leading_name(const QString& text) {
    const qsizetype colon = text.left(32).indexOf(':');
    if (colon <= 0 || !text.mid(colon + 1).trimmed().startsWith('{')) return {};
    return text.left(colon).trimmed().toLower();
}

std::string json_text(const QJsonValue& value) {
    if (value.isString()) return value.toString().toStdString();
    return QJsonDocument(value.toObject()).toJson(QJsonDocument::Compact).toStdString();
}

// JSON without a name: a graph, or an object that holds graphs by name.
void add_json(std::vector<ForeignGraph>& found, const std::string& text, const std::string& place) {
    try {
        const QJsonObject root = read_comfy_json(QByteArray::fromStdString(text));
        for (const auto& [name, kind] : {std::pair("workflow", Kind::Workflow), std::pair("prompt", Kind::Prompt)})
            if (const QJsonValue inner = root[QLatin1String(name)]; inner.isObject() || inner.isString()) found.push_back({kind, json_text(inner), place});
        if (is_comfy_json(root)) found.push_back({root["nodes"].isArray() ? Kind::Workflow : Kind::Prompt, text, place});
    } catch (const gpu::Error&) {      // a text that begins with a brace
    }
}

}  // namespace

std::vector<ForeignGraph> foreign_graphs(const std::vector<PictureText>& texts) {
    std::vector<ForeignGraph> found;
    for (const PictureText& one : texts) {
        if (one.name == "workflow" || one.name == "prompt") {
            found.push_back({one.name == "workflow" ? Kind::Workflow : Kind::Prompt, one.text, "chunk " + one.name});
            continue;
        }
        const QString text = trimmed(one.text), name = leading_name(text);
        if (name == "workflow" || name == "prompt")
            found.push_back({name == "workflow" ? Kind::Workflow : Kind::Prompt, text.mid(text.indexOf(':') + 1).trimmed().toStdString(), one.name});
        else if (text.startsWith('{'))
            add_json(found, text.toStdString(), one.name);
        else if (one.name == "parameters" || parse_infotext(one.text).values.contains("Steps"))
            found.push_back({Kind::Infotext, one.text, one.name});
    }
    std::ranges::stable_sort(found, {}, &ForeignGraph::kind);
    return found;
}

}  // namespace nodes
