#include "nodes/core/param.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "gpu/base/error.h"
#include "nodes/core/nearest.h"
#include "nodes/core/expression.h"

namespace nodes {
namespace {

using gpu::Error;
using gpu::ErrorCode;

// NODE.name, and nothing else.
bool is_name(const std::string& text) {
    const std::size_t dot = text.find('.');
    if (dot == std::string::npos || dot == 0 || dot + 1 == text.size() || text.find('.', dot + 1) != std::string::npos) return false;
    return std::ranges::all_of(text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80 || c == '_' || c == '`' || c == '-' || c == '.'; });
}

constexpr double exact_integers = 9007199254740992.0;  // 2^53: above, doubles skip integers

std::string number_text(double value) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    return {digits.data(), end};
}

template <typename T>
std::optional<T> read_number(const std::string& text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<std::uint64_t> read_seed(const QJsonValue& value) {
    if (value.isString()) return read_number<std::uint64_t>(value.toString().toStdString());
    if (!value.isDouble()) return std::nullopt;
    const qint64 whole = value.toInteger(-1);  // -1 also where it is no integer
    if (whole < 0) return std::nullopt;
    return static_cast<std::uint64_t>(whole);
}

QJsonValue seed_json(std::uint64_t seed) {
    if (static_cast<double>(seed) < exact_integers) return static_cast<qint64>(seed);
    return QString::fromStdString(std::to_string(seed));
}

std::optional<Color> read_color(const QString& text) {
    if (!text.startsWith('#') || (text.size() != 7 && text.size() != 9)) return std::nullopt;
    std::array<float, 4> channel{0, 0, 0, 1};
    for (int i = 0; 1 + 2 * i < text.size(); ++i) {
        int byte = 0;
        for (const QChar digit : text.mid(1 + 2 * i, 2)) {
            const auto at = QStringLiteral("0123456789abcdef").indexOf(digit.toLower());
            if (at < 0) return std::nullopt;
            byte = byte * 16 + static_cast<int>(at);
        }
        channel[i] = static_cast<float>(byte) / 255.0f;
    }
    return Color{channel[0], channel[1], channel[2], channel[3]};
}

std::string json_text(const QJsonValue& value) {
    switch (value.type()) {
        case QJsonValue::Null: return "null";
        case QJsonValue::Bool: return value.toBool() ? "true" : "false";
        case QJsonValue::Double: return number_text(value.toDouble());
        case QJsonValue::String: return "'" + value.toString().toStdString() + "'";
        case QJsonValue::Array: return "a list";
        case QJsonValue::Object: return "an object";
        case QJsonValue::Undefined: return "nothing";
    }
    return {};
}

std::string range_text(const ParamInfo& info) {
    const bool low = info.min > (info.kind == ParamKind::Int ? std::numeric_limits<int>::min() : -HUGE_VAL);
    const bool high = info.max < (info.kind == ParamKind::Int ? std::numeric_limits<int>::max() : HUGE_VAL);
    if (low && high) return number_text(info.min) + " to " + number_text(info.max);
    if (low) return number_text(info.min) + " or more";
    return high ? number_text(info.max) + " or less" : "";
}

std::string expectation(const ParamInfo& info) {
    const std::string range = range_text(info);
    switch (info.kind) {
        case ParamKind::Bool: return "true or false";
        case ParamKind::Int: return "a whole number" + (range.empty() ? "" : ", " + range);
        case ParamKind::Number: return "a number" + (range.empty() ? "" : ", " + range);
        case ParamKind::Text: return "a text";
        case ParamKind::Seed: return "a whole number, 0 to 18446744073709551615";
        case ParamKind::InputFile:
        case ParamKind::OutputFile: return "a file name";
        case ParamKind::Color: return "a colour as #rrggbb or #rrggbbaa";
        case ParamKind::Choice: break;
    }
    std::string list;
    for (const std::string& choice : info.choices) list += (list.empty() ? "one of " : ", ") + choice;
    return list;
}

bool fits(const ParamInfo& info, const QJsonValue& value) {
    const double number = value.toDouble();
    switch (info.kind) {
        case ParamKind::Bool: return value.isBool();
        case ParamKind::Int:
            return value.isDouble() && std::trunc(number) == number && number >= info.min && number <= info.max;
        case ParamKind::Number:
            return value.isDouble() && std::isfinite(number) && number >= info.min && number <= info.max;
        case ParamKind::Text:
        case ParamKind::InputFile:
        case ParamKind::OutputFile: return value.isString();
        case ParamKind::Choice:
            return value.isString() && std::ranges::count(info.choices, value.toString().toStdString()) == 1;
        case ParamKind::Seed: return read_seed(value).has_value();
        case ParamKind::Color: return value.isString() && read_color(value.toString());
    }
    return false;
}

}  // namespace

const char* to_string(ParamKind kind) {
    switch (kind) {
        case ParamKind::Bool: return "bool";
        case ParamKind::Int: return "int";
        case ParamKind::Number: return "number";
        case ParamKind::Text: return "text";
        case ParamKind::Choice: return "choice";
        case ParamKind::Seed: return "seed";
        case ParamKind::InputFile: return "input-file";
        case ParamKind::OutputFile: return "output-file";
        case ParamKind::Color: return "color";
    }
    return "text";
}

std::string ParamInfo::problem(const QJsonValue& value) const {
    if (fits(*this, value)) return {};
    std::string message = "expected " + expectation(*this) + ", got " + json_text(value);
    if (kind == ParamKind::Choice && value.isString())
        if (const std::string near = nearest(value.toString().toStdString(), choices); !near.empty())
            message += "; did you mean '" + near + "'?";
    return message;
}

QJsonValue ParamInfo::canonical(const QJsonValue& value) const {
    if (const std::string wrong = problem(value); !wrong.empty())
        throw Error(ErrorCode::InvalidGraph, name + ": " + wrong);
    if (kind == ParamKind::Int) return static_cast<qint64>(value.toDouble());
    if (kind == ParamKind::Number) {
        const double number = value.toDouble();
        const bool whole = std::trunc(number) == number && std::abs(number) < exact_integers;
        return whole ? QJsonValue(static_cast<qint64>(number)) : QJsonValue(number);
    }
    if (kind == ParamKind::Seed) return seed_json(*read_seed(value));
    if (kind == ParamKind::Color) return value.toString().toLower();
    return value;
}

QJsonValue ParamInfo::parse(const std::string& text) const {
    QJsonValue value = QString::fromStdString(text);
    const bool numeric = kind == ParamKind::Bool || kind == ParamKind::Int || kind == ParamKind::Number || kind == ParamKind::Seed;
    // Texts and files follow another by its name alone: =files.path.
    if (text.starts_with('=') && (numeric || is_name(text.substr(1)))) return expression_value(text.substr(1));
    if (kind == ParamKind::Bool) {
        const QString word = value.toString().toLower();
        if (QStringList{"true", "1", "on", "yes"}.contains(word)) value = true;
        if (QStringList{"false", "0", "off", "no"}.contains(word)) value = false;
    } else if (kind == ParamKind::Int || kind == ParamKind::Number) {
        if (const auto number = read_number<double>(text)) value = *number;
    }
    if (const std::string wrong = problem(value); !wrong.empty()) throw Error(ErrorCode::Usage, wrong);
    return canonical(value);
}

std::string ParamInfo::text(const QJsonValue& value) const {
    if (const auto expression = expression_of(value)) return "=" + *expression;
    return value.isString() ? value.toString().toStdString() : json_text(value);
}

std::string ParamInfo::range() const {
    std::string text;
    if (kind == ParamKind::Choice)
        for (const std::string& choice : choices) text += (text.empty() ? "" : "|") + choice;
    if (kind == ParamKind::Int || kind == ParamKind::Number) text = range_text(*this);
    if (!unit.empty()) text += (text.empty() ? "" : " ") + unit;
    return text;
}

namespace detail {
namespace {

template <typename Options>
ParamInfo common(const Options& options, ParamKind kind) {
    ParamInfo info;
    info.kind = kind;
    info.label = options.label;
    info.advanced = options.advanced;
    return info;
}

template <typename Options>
ParamInfo describe_number(const Options& options, ParamKind kind) {
    ParamInfo info = common(options, kind);
    info.initial = options.initial;
    info.min = options.min;
    info.max = options.max;
    info.step = options.step;
    info.unit = options.unit;
    return info;
}

template <typename Options>
ParamInfo describe_file(const Options& options, ParamKind kind) {
    ParamInfo info = common(options, kind);
    info.initial = QString::fromStdString(options.initial);
    info.filter = options.filter;
    info.required = options.required;
    return info;
}

}  // namespace

ParamInfo describe(const ParamOptions<bool>& options) {
    ParamInfo info = common(options, ParamKind::Bool);
    info.initial = options.initial;
    return info;
}
ParamInfo describe(const ParamOptions<int>& options) {
    ParamInfo info = describe_number(options, ParamKind::Int);
    info.decimals = 0;
    return info;
}
ParamInfo describe(const ParamOptions<double>& options) {
    ParamInfo info = describe_number(options, ParamKind::Number);
    info.decimals = options.decimals;
    return info;
}
ParamInfo describe(const ParamOptions<float>& options) {
    ParamInfo info = describe_number(options, ParamKind::Number);
    info.decimals = options.decimals;
    return info;
}
ParamInfo describe(const ParamOptions<std::string>& options) {
    ParamInfo info = common(options, ParamKind::Text);
    info.initial = QString::fromStdString(options.initial);
    info.multiline = options.multiline;
    info.required = options.required;
    return info;
}
ParamInfo describe(const ParamOptions<Seed>& options) {
    ParamInfo info = common(options, ParamKind::Seed);
    info.initial = seed_json(options.initial);
    return info;
}
ParamInfo describe(const ParamOptions<FilePath>& options) { return describe_file(options, ParamKind::InputFile); }
ParamInfo describe(const ParamOptions<OutputPath>& options) { return describe_file(options, ParamKind::OutputFile); }
ParamInfo describe(const ParamOptions<Choice>& options) {
    ParamInfo info = common(options, ParamKind::Choice);
    info.choices = options.names;
    info.initial =
        QString::fromStdString(options.initial.empty() && !options.names.empty() ? options.names[0] : options.initial);
    return info;
}
ParamInfo describe(const ParamOptions<Color>& options) {
    ParamInfo info = common(options, ParamKind::Color);
    info.initial = QString::fromStdString(options.initial);
    return info;
}
ParamInfo describe_choice(std::vector<std::string> names, std::size_t initial) {
    ParamInfo info;
    info.kind = ParamKind::Choice;
    if (initial < names.size()) info.initial = QString::fromStdString(names[initial]);
    info.choices = std::move(names);
    return info;
}

void decode(const ParamInfo&, const QJsonValue& value, bool& out) { out = value.toBool(); }
void decode(const ParamInfo&, const QJsonValue& value, int& out) { out = static_cast<int>(value.toDouble()); }
void decode(const ParamInfo&, const QJsonValue& value, double& out) { out = value.toDouble(); }
void decode(const ParamInfo&, const QJsonValue& value, float& out) { out = static_cast<float>(value.toDouble()); }
void decode(const ParamInfo&, const QJsonValue& value, std::string& out) { out = value.toString().toStdString(); }
void decode(const ParamInfo&, const QJsonValue& value, Seed& out) { out.value = read_seed(value).value_or(0); }
void decode(const ParamInfo&, const QJsonValue& value, FilePath& out) { out.path = value.toString().toStdString(); }
void decode(const ParamInfo&, const QJsonValue& value, OutputPath& out) { out.path = value.toString().toStdString(); }
void decode(const ParamInfo&, const QJsonValue& value, Choice& out) { out.name = value.toString().toStdString(); }
void decode(const ParamInfo&, const QJsonValue& value, Color& out) {
    out = read_color(value.toString()).value_or(Color{});
}

std::size_t decode_choice(const ParamInfo& info, const QJsonValue& value) {
    const auto at = std::ranges::find(info.choices, value.toString().toStdString());
    return static_cast<std::size_t>(at - info.choices.begin());
}

}  // namespace detail

}  // namespace nodes
