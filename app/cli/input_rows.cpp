#include "app/cli/input_rows.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QStringDecoder>
#include <algorithm>
#include <charconv>

#include "app/cli/csv.h"
#include "app/cli/set_values.h"
#include "gpu/base/error.h"
#include "nodes/core/expression.h"
#include "nodes/core/json_text.h"

namespace app {
namespace {

using gpu::Error;
using gpu::ErrorCode;

// A value as --set takes it; nothing where it can be no parameter's.
std::optional<std::string> text_of(const QJsonValue& value) {
    if (const auto expression = nodes::expression_of(value)) return "=" + *expression;
    switch (value.type()) {
        case QJsonValue::Bool: return value.toBool() ? "true" : "false";
        case QJsonValue::String: return value.toString().toStdString();
        case QJsonValue::Double: break;
        default: return std::nullopt;
    }
    char digits[32];
    const QVariant exact = value.toVariant();      // whole numbers that a double would round
    const auto end = exact.typeId() == QMetaType::LongLong ? std::to_chars(digits, digits + sizeof digits, exact.toLongLong())
                                                           : std::to_chars(digits, digits + sizeof digits, value.toDouble());
    return std::string(digits, end.ptr);
}

void add_row(InputRows& inputs, const QJsonValue& value, std::size_t line) {
    gpu::check(inputs.rows.size() < most_input_rows, ErrorCode::BadFile, "expected at most {} rows", most_input_rows);
    inputs.rows.push_back({line, {}});
    const std::string row = inputs.name_of(inputs.rows.size() - 1);
    if (!value.isObject()) {
        inputs.problems.push_back(row + ": expected an object {\"node.param\": value}");
        return;
    }
    const QJsonObject object = value.toObject();
    for (auto at = object.begin(); at != object.end(); ++at) {
        if (at->isNull()) continue;
        if (const auto text = text_of(*at))
            inputs.rows.back().values.emplace_back(at.key().toStdString(), *text);
        else
            inputs.problems.push_back(row + ", " + at.key().toStdString() + ": expected a number, a text, true or false, got " +
                                      (at->isArray() ? "a list" : "an object"));
    }
}

std::size_t line_at(const QByteArray& text, qsizetype offset) {
    return static_cast<std::size_t>(std::count(text.begin(), text.begin() + std::clamp<qsizetype>(offset, 0, text.size()), '\n')) + 1;
}

// Throws for a name that an object holds twice, of which the reader would silently drop one.
QJsonDocument parse_json(const QByteArray& text, QJsonParseError& error) {
    QJsonDocument document = QJsonDocument::fromJson(text, &error);
    if (const std::string twice = nodes::repeated_key(text); error.error == QJsonParseError::NoError && !twice.empty())
        throw Error(ErrorCode::BadFile, "expected '{}' once, it stands twice in one object", twice);
    return document;
}

InputRows parse_json_lines(const QByteArray& text) {
    InputRows inputs{.several = true};
    std::size_t number = 0;
    for (const QByteArray& line : text.split('\n')) {
        ++number;
        if (line.trimmed().isEmpty()) continue;
        QJsonParseError error{};
        QJsonDocument document;
        try {
            document = parse_json(line, error);
        } catch (Error& twice) {
            throw twice.in(gpu::format("line {}", number));
        }
        gpu::check(error.error == QJsonParseError::NoError, ErrorCode::BadFile, "line {}: expected a JSON object: {}", number,
                   error.errorString().toStdString());
        add_row(inputs, document.isObject() ? QJsonValue(document.object()) : QJsonValue(document.array()), number);
    }
    return inputs;
}

InputRows parse_json_inputs(const QByteArray& text, bool lines) {
    if (lines) return parse_json_lines(text);
    QJsonParseError error{};
    const QJsonDocument document = parse_json(text, error);
    // More objects after the first: one a line.
    if (error.error == QJsonParseError::GarbageAtEnd && text.trimmed().startsWith('{')) return parse_json_lines(text);
    gpu::check(error.error == QJsonParseError::NoError, ErrorCode::BadFile, "line {}: expected JSON: {}", line_at(text, error.offset),
               error.errorString().toStdString());
    InputRows inputs{.several = document.isArray()};
    if (document.isObject()) add_row(inputs, document.object(), 0);
    for (const QJsonValue value : document.array()) add_row(inputs, value, 0);
    return inputs;
}

InputRows parse_csv_inputs(const QByteArray& text) {
    InputRows inputs{.several = true};
    std::vector<CsvRecord> records = parse_csv({text.constData(), static_cast<std::size_t>(text.size())});
    gpu::check(!records.empty(), ErrorCode::BadFile, "expected a first line with the parameters' names, the file is empty");
    std::vector<std::string> names;
    for (const std::string& field : records[0].fields) {
        names.push_back(QString::fromStdString(field).trimmed().toStdString());
        const std::size_t column = names.size();
        if (names.back().empty()) inputs.problems.push_back(gpu::format("column {}: expected a name NODE.param, got nothing", column));
        else if (std::ranges::count(names, names.back()) == 2) inputs.problems.push_back("column " + names.back() + ": expected once, it stands twice");
    }
    gpu::check(records.size() - 1 <= most_input_rows, ErrorCode::BadFile, "expected at most {} rows", most_input_rows);
    for (std::size_t i = 1; i < records.size(); ++i) {
        const std::vector<std::string>& fields = records[i].fields;
        inputs.rows.push_back({records[i].line, {}});
        if (fields.size() != names.size()) {
            inputs.problems.push_back(gpu::format("{}: expected {} fields, got {}", inputs.name_of(i - 1), names.size(), fields.size()));
            continue;
        }
        for (std::size_t column = 0; column < names.size(); ++column)
            if (!fields[column].empty() && !names[column].empty()) inputs.rows.back().values.emplace_back(names[column], fields[column]);
    }
    return inputs;
}

}  // namespace

std::string InputRows::name_of(std::size_t row) const {
    const std::string name = gpu::format("row {}", row + 1);
    return rows[row].line > 0 ? name + gpu::format(" (line {})", rows[row].line) : name;
}

InputRows parse_inputs(QByteArray text, const std::string& name) {
    try {
        gpu::check(text.size() <= most_input_bytes, ErrorCode::BadFile, "expected at most {} MiB", most_input_bytes >> 20);
        if (text.startsWith("\xef\xbb\xbf")) text.remove(0, 3);      // a byte order mark
        QStringDecoder utf8(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
        (void)QString(utf8(text));
        gpu::check(!utf8.hasError(), ErrorCode::BadFile, "expected text in UTF-8");
        const QByteArray start = text.left(4096).trimmed();
        const bool lines = name.ends_with(".jsonl") || name.ends_with(".ndjson");
        const bool json = lines || name.ends_with(".json") || (!name.ends_with(".csv") && (start.startsWith('{') || start.startsWith('[')));
        InputRows inputs = json ? parse_json_inputs(text, lines) : parse_csv_inputs(text);
        gpu::check(!inputs.rows.empty(), ErrorCode::BadFile, "expected rows of values, there is none");
        return inputs;
    } catch (const Error& error) {
        throw Error(error.code(), "--inputs {}: {}", name, error.what());
    }
}

InputRows read_inputs(const std::string& path) {
    return parse_inputs(read_source(path, "--inputs: expected a file of values", most_input_bytes), path);
}

}  // namespace app
