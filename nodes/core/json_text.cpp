#include "nodes/core/json_text.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

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

// Listens to a parse and stops at the first name that its object holds already.
struct KeyWatcher : nlohmann::json_sax<nlohmann::json> {
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const std::string&) override { return true; }
    bool string(std::string&) override { return true; }
    bool binary(nlohmann::json::binary_t&) override { return true; }
    bool start_array(std::size_t) override { return true; }
    bool end_array() override { return true; }
    bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override { return false; }
    bool start_object(std::size_t) override {
        open.emplace_back();
        return true;
    }
    bool end_object() override {
        open.pop_back();
        return true;
    }
    bool key(std::string& name) override {
        if (open.back().insert(name).second) return true;
        repeated = name;
        return false;
    }

    std::vector<std::set<std::string>> open;
    std::string repeated;
};

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

std::string repeated_key(const QByteArray& text) {
    KeyWatcher watcher;
    nlohmann::json::sax_parse(text.begin(), text.end(), &watcher);
    return watcher.repeated;
}

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
        for (auto member = object.begin(); member != object.end(); ++member)
            member.value() = normalised(member.value());
        return object;
    }
    return value;
}

}  // namespace nodes
