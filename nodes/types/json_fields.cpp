#include "nodes/types/json_fields.h"

#include <QJsonDocument>
#include <algorithm>

#include "gpu/base/error.h"
#include "nodes/core/nearest.h"

namespace nodes {
namespace {

std::string kind_of(const QJsonValue& value) {
    switch (value.type()) {
        case QJsonValue::Null: return "null";
        case QJsonValue::Bool: return value.toBool() ? "true" : "false";
        case QJsonValue::Double: return gpu::format("{}", value.toDouble());
        case QJsonValue::String: return gpu::format("\"{}\"", value.toString().toStdString());
        case QJsonValue::Array: return gpu::format("a list of {}", value.toArray().size());
        case QJsonValue::Object: return "an object";
        case QJsonValue::Undefined: break;
    }
    return "nothing";
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

}  // namespace

QJsonValue parsed_json(const QByteArray& json, const std::string& what) {
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(json, &error);
    if (error.error != QJsonParseError::NoError) {
        const auto line = json.left(error.offset).count('\n') + 1;
        throw gpu::Error(gpu::ErrorCode::InvalidGraph, "{}: expected JSON, got an error in line {}: {}", what, line, error.errorString().toStdString());
    }
    return document.isArray() ? QJsonValue(document.array()) : QJsonValue(document.object());
}

QJsonArray list_of(const QJsonObject& object, const char* key, const std::string& what) {
    const QJsonValue value = object[QLatin1String(key)];
    if (value.isUndefined()) return {};
    gpu::check(value.isArray(), gpu::ErrorCode::InvalidGraph, "{}: expected {} as a list, got {}", what, key, kind_of(value));
    return value.toArray();
}

JsonFields::JsonFields(const QJsonValue& value, std::string where) : object_(value.toObject()), where_(std::move(where)) {
    if (!value.isObject()) fail("expected an object, got {}", kind_of(value));
}

void JsonFields::fail_text(const std::string& text) const { throw gpu::Error(gpu::ErrorCode::InvalidGraph, where_ + ": " + text); }

std::string JsonFields::text(const char* key, const std::string& initial) const {
    const QJsonValue value = object_[QLatin1String(key)];
    if (value.isUndefined()) return initial;
    if (!value.isString()) fail("expected {} as a text, got {}", key, kind_of(value));
    return value.toString().toStdString();
}

double JsonFields::number(const char* key, double initial, double min, double max) const {
    const QJsonValue value = object_[QLatin1String(key)];
    if (value.isUndefined()) return initial;
    if (!value.isDouble() || !(value.toDouble() >= min && value.toDouble() <= max)) fail("expected {} of {} to {}, got {}", key, min, max, kind_of(value));
    return value.toDouble();
}

std::vector<double> JsonFields::read_numbers(const char* key, double min, double max) const {
    const QJsonValue value = object_[QLatin1String(key)];
    if (!value.isArray()) fail("expected {} as a list of numbers, got {}", key, kind_of(value));
    std::vector<double> numbers;
    for (const QJsonValue& each : value.toArray()) {
        if (!each.isDouble() || !(each.toDouble() >= min && each.toDouble() <= max))
            fail("expected {} as numbers of {} to {}, got {} for number {}", key, min, max, kind_of(each), numbers.size());
        numbers.push_back(each.toDouble());
    }
    return numbers;
}

std::optional<std::vector<double>> JsonFields::numbers(const char* key, const std::vector<std::size_t>& counts, double min, double max) const {
    if (!has(key)) return {};
    std::vector<double> list = read_numbers(key, min, max);
    if (std::ranges::find(counts, list.size()) == counts.end()) {
        std::string wanted;
        for (const std::size_t count : counts) wanted += (wanted.empty() ? "" : " or ") + std::to_string(count);
        fail("expected {} numbers of {}, got {}", wanted, key, list.size());
    }
    return list;
}

std::vector<double> JsonFields::pairs(const char* key, std::size_t least, double min, double max) const {
    std::vector<double> list = read_numbers(key, min, max);
    if (list.size() % 2 || list.size() < 2 * least) fail("expected {} as x, y, x, y, ... of at least {} points, got {} numbers", key, least, list.size());
    return list;
}

std::size_t JsonFields::choice(const char* key, const std::vector<std::string>& names) const {
    const std::string name = text(key, "");
    const auto at = std::ranges::find(names, name);
    if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
    const std::string near = nearest(name, names);
    fail("expected a {}, one of {}, got '{}'{}", key, joined(names), name, near.empty() ? "" : "; did you mean '" + near + "'?");
}

void JsonFields::only(const std::vector<std::string>& keys) const {
    for (const QString& each : object_.keys()) {
        const std::string key = each.toStdString();
        if (std::ranges::find(keys, key) != keys.end()) continue;
        const std::string near = nearest(key, keys);
        fail("expected no keys but {}, got '{}'{}", joined(keys), key, near.empty() ? "" : "; did you mean '" + near + "'?");
    }
}

}  // namespace nodes
