#include "nodes/interchange/comfy_group_nodes.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "nodes/interchange/comfy_class.h"

namespace nodes {
namespace {

constexpr auto inputs_id = -10, outputs_id = -20;      // the nodes of a subgraph that stand for its sides

QString qt(const std::string& text) { return QString::fromStdString(text); }

struct Widget {
    QString name;
    bool control = false, upload = false;      // whose buttons store a value behind its own
};

// One end of a link inside of the group.
using End = std::pair<int, int>;      // index of the node, slot

class Group {
public:
    explicit Group(const QJsonObject& group) : nodes_(group["nodes"].toArray()), config_(group["config"].toObject()) {
        for (const QJsonValue value : group["links"].toArray()) {
            const QJsonArray link = value.toArray();
            if (link.size() < 4 || !link[0].isDouble() || !link[2].isDouble()) continue;      // to nodes outside
            into_[{link[2].toInt(), link[3].toInt()}] = {link[0].toInt(), link[1].toInt()};
            from_.insert({link[0].toInt(), link[1].toInt()});
        }
        for (const QJsonValue value : group["external"].toArray()) {      // read outside as well as inside
            const QJsonArray end = value.toArray();
            external_.insert({end[0].toInt(), end[1].toInt()});
        }
    }

    QJsonObject definition() {
        QJsonArray nodes;
        for (int index = 0; index < nodes_.size(); ++index) nodes.append(inner(index));
        for (const auto& [to, from] : into_) link(from.first, from.second, to.first, to.second);
        return {{"nodes", nodes}, {"links", links_}, {"inputs", inputs_}, {"outputs", outputs_}};
    }

    QJsonArray widgets(qsizetype count) const {
        for (const auto& [control, upload] : {std::pair(true, true), std::pair(true, false), std::pair(false, true), std::pair(false, false)}) {
            QJsonArray list;
            for (int index = 0; index < nodes_.size(); ++index)
                for (const Widget& widget : widgets_of(index)) {
                    if (is_input(index, widget.name) || !visible(index, "input", widget.name)) continue;
                    list.append(QJsonArray{QString::number(index), widget.name});
                    if (widget.control && control) list.append(QJsonArray{QString::number(index), QString()});
                    if (widget.upload && upload) list.append(QJsonArray{QString::number(index), QString()});
                }
            if (list.size() == count) return list;
        }
        return {};
    }

private:
    QJsonObject node(int index) const { return nodes_[index].toObject(); }

    std::vector<Widget> widgets_of(int index) const {
        std::vector<Widget> list;
        const QString type = node(index)["type"].toString();
        if (type == "PrimitiveNode") {
            const QJsonArray values = node(index)["widgets_values"].toArray();
            return {{"value", values.size() > 1, false}};
        }
        if (const ComfyClass* known = find_comfy_class(type.toStdString()))
            for (const ComfyField& field : known->fields)
                if (field.widget()) list.push_back({qt(field.name), field.control, field.upload});
        return list;
    }

    // Whether a widget of an inner node was turned into a socket.
    bool is_input(int index, const QString& widget) const {
        for (const QJsonValue value : node(index)["inputs"].toArray())
            if (value["widget"]["name"].toString() == widget) return true;
        return false;
    }

    QJsonObject config(int index, const char* side, const QString& socket) const {
        return config_[QString::number(index)][QLatin1String(side)][socket].toObject();
    }
    bool visible(int index, const char* side, const QString& socket) const { return config(index, side, socket)["visible"].toBool(true); }

    // The name of a socket or widget of an instance.
    QString shown_name(int index, const QString& input) {
        const QString label = config(index, "input", input)["name"].toString();
        const QString type = node(index)["type"].toString(), title = node(index)["title"].toString();
        QString name = label.isEmpty() ? input : label, key = name;
        if (seen_.contains(name) || (type == "PrimitiveNode" && !title.isEmpty())) {
            const QString front = (title.isEmpty() ? type : title) + " ";
            name = key = front + input;
            if (const auto at = seen_.find(name); at != seen_.end()) name = front + QString::number(at->second) + " " + input;
        }
        const auto [at, fresh] = seen_.try_emplace(key, 2);
        if (!fresh) ++at->second;
        return name;
    }

    void link(int from, int from_slot, int to, int to_slot) {
        links_.append(QJsonArray{links_.size() + 1, from, from_slot, to, to_slot, QStringLiteral("*")});
    }

    void add_input(int index, const QString& input, int slot) {
        const QString name = shown_name(index, input);
        if (!visible(index, "input", input)) return;
        link(inputs_id, static_cast<int>(inputs_.size()), index, slot);
        inputs_.append(QJsonObject{{"name", name}});
    }

    QJsonObject inner(int index) {
        QJsonObject made = node(index);
        made["id"] = index;
        QJsonArray sockets = made["inputs"].toArray();
        const qsizetype own = sockets.size();
        // A widget may be linked at the instance: it gets a socket for that.
        for (const Widget& widget : widgets_of(index)) {
            if (is_input(index, widget.name)) continue;
            add_input(index, widget.name, static_cast<int>(sockets.size()));
            if (made["type"] != QJsonValue("PrimitiveNode"))
                sockets.append(QJsonObject{{"name", widget.name}, {"type", "*"}, {"link", QJsonValue()}, {"widget", QJsonObject{{"name", widget.name}}}});
        }
        for (int slot = 0; slot < own; ++slot)
            if (!into_.contains({index, slot})) add_input(index, sockets.at(slot)["name"].toString(), slot);
        if (sockets.size() > own) made["inputs"] = sockets;
        const QJsonArray outputs = made["outputs"].toArray();
        for (int slot = 0; slot < outputs.size(); ++slot) {
            if ((from_.contains({index, slot}) && !external_.contains({index, slot})) || !visible(index, "output", QString::number(slot))) continue;
            link(index, slot, outputs_id, static_cast<int>(outputs_.size()));
            outputs_.append(QJsonObject{{"name", outputs[slot]["name"]}});
        }
        return made;
    }

    const QJsonArray nodes_;
    const QJsonObject config_;
    std::map<End, End> into_;      // input -> output
    std::set<End> from_, external_;
    std::map<QString, int> seen_;      // names, and the number that the next of one name gets
    QJsonArray links_, inputs_, outputs_;
};

}  // namespace

QJsonObject comfy_group_definition(const QJsonObject& group) { return Group(group).definition(); }
QJsonArray comfy_group_widgets(const QJsonObject& group, qsizetype count) { return Group(group).widgets(count); }

}  // namespace nodes
