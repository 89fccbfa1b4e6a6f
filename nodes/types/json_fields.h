// Reads the fields of one object of a parameter's JSON, and says what was expected where something else stands.
#pragma once

#include <QByteArray>
#include <QJsonArray>
#include <QJsonObject>
#include <optional>
#include <string>
#include <vector>

namespace nodes {

// The value of a JSON text; throws Error{InvalidGraph} that begins with `what` where it is none.
QJsonValue parsed_json(const QByteArray& json, const std::string& what);
// The list under `key`, empty where there is none.
QJsonArray list_of(const QJsonObject& object, const char* key, const std::string& what);

class JsonFields {
public:
    // `where` begins every message: "cameras: camera 2 (back)". Throws unless `value` is an object.
    JsonFields(const QJsonValue& value, std::string where);

    bool has(const char* key) const { return object_.contains(QLatin1String(key)); }
    std::string text(const char* key, const std::string& initial) const;
    double number(const char* key, double initial, double min, double max) const;
    // A list of as many numbers as one of `counts`; nothing where there is no such key.
    std::optional<std::vector<double>> numbers(const char* key, const std::vector<std::size_t>& counts, double min, double max) const;
    // An even number of them from `least` on.
    std::vector<double> pairs(const char* key, std::size_t least, double min, double max) const;
    // The index of a name in a list of names.
    std::size_t choice(const char* key, const std::vector<std::string>& names) const;
    // Throws for a key that is not among these: a mistyped one would be ignored without a word.
    void only(const std::vector<std::string>& keys) const;

    template <typename... Args>
    [[noreturn]] void fail(std::string_view text, const Args&... args) const;

private:
    [[noreturn]] void fail_text(const std::string& text) const;
    std::vector<double> read_numbers(const char* key, double min, double max) const;

    QJsonObject object_;
    std::string where_;
};

}  // namespace nodes

#include "gpu/base/format.h"

template <typename... Args>
void nodes::JsonFields::fail(std::string_view text, const Args&... args) const {
    fail_text(gpu::format(text, args...));
}
