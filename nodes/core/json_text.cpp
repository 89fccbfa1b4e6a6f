#include "nodes/core/json_text.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>
#include <cmath>

namespace nodes {
namespace {

constexpr int line_width = 100;

// Logic before layout, names before content; everything else in between, by name.
int rank(const QString& key) {
    static const QStringList first{"heddle", "type", "version", "from", "to"};
    static const QStringList last{"params", "nodes", "links", "layout"};
    if (const auto at = first.indexOf(key); at >= 0) return static_cast<int>(at) - static_cast<int>(first.size());
    return static_cast<int>(last.indexOf(key)) + 1;
}

QStringList ordered_keys(const QJsonObject& object) {
    QStringList keys = object.keys();
    std::ranges::stable_sort(keys, {}, rank);
    return keys;
}

QByteArray scalar_text(const QJsonValue& value) {
    const QByteArray list = QJsonDocument(QJsonArray{value}).toJson(QJsonDocument::Compact);
    return list.mid(1, list.size() - 2);
}

// Calls each(key text with colon or nothing, value) in the order of the text.
template <typename Each>
void for_members(const QJsonValue& value, Each each) {
    if (value.isArray()) {
        for (const QJsonValue item : value.toArray()) each(QByteArray(), item);
        return;
    }
    const QJsonObject object = value.toObject();
    for (const QString& key : ordered_keys(object)) each(scalar_text(key) + ": ", object[key]);
}

bool nests(const QJsonValue& value) {
    return (value.isArray() && !value.toArray().isEmpty()) || (value.isObject() && !value.toObject().isEmpty());
}

// The members on one line, or nothing where they nest or do not fit.
QByteArray one_line(const QJsonValue& value, int room) {
    QByteArray text;
    bool fits = true;
    for_members(value, [&](const QByteArray& key, const QJsonValue& member) {
        if (!fits || nests(member)) {
            fits = false;
            return;
        }
        text += (text.isEmpty() ? "" : ", ") + key;
        text += member.isArray() ? "[]" : member.isObject() ? "{}" : scalar_text(member);
        fits = text.size() <= room;
    });
    return fits ? text : QByteArray();
}

void write(QByteArray& out, const QJsonValue& value, int indent) {
    if (!value.isArray() && !value.isObject()) {
        out += scalar_text(value);
        return;
    }
    const char open = value.isArray() ? '[' : '{';
    const char close = value.isArray() ? ']' : '}';
    out += open;
    if (nests(value)) {
        if (const QByteArray line = one_line(value, line_width - indent); !line.isEmpty() && indent > 0) {
            out += line;
        } else {
            bool more = false;
            for_members(value, [&](const QByteArray& key, const QJsonValue& member) {
                out += more ? ",\n" : "\n";
                out += QByteArray(indent + 4, ' ') + key;
                write(out, member, indent + 4);
                more = true;
            });
            out += "\n" + QByteArray(indent, ' ');
        }
    }
    out += close;
}

}  // namespace

QByteArray canonical_json(const QJsonValue& value) {
    QByteArray text;
    write(text, value, 0);
    return text;
}

QJsonValue normalised(const QJsonValue& value) {
    if (value.isDouble()) {
        const double number = value.toDouble();
        if (std::trunc(number) == number && std::abs(number) < 9007199254740992.0) return static_cast<qint64>(number);
        return value;
    }
    if (value.isArray()) {
        QJsonArray list;
        for (const QJsonValue item : value.toArray()) list.append(normalised(item));
        return list;
    }
    if (value.isObject()) {
        QJsonObject object = value.toObject();
        for (auto member = object.begin(); member != object.end(); ++member) member.value() = normalised(member.value());
        return object;
    }
    return value;
}

}  // namespace nodes
