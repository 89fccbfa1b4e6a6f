#include "app/cli/set_values.h"

#include <QFile>
#include <QFileInfo>
#include <QStringDecoder>
#include <algorithm>

#include "gpu/base/error.h"

namespace app {
namespace {

using gpu::Error;
using gpu::ErrorCode;

constexpr qint64 most_bytes = qint64{16} << 20;

// Where the value of an assignment starts, or npos where it has none.
std::size_t value_at(const std::string& assignment) {
    const std::size_t equals = assignment.find('=');
    return equals == std::string::npos ? equals : equals + 1;
}

std::string text_of(const std::string& path) {
    const QByteArray bytes = read_source(path, "expected a file", most_bytes);
    gpu::check(bytes.size() <= most_bytes, ErrorCode::BadFile, "expected at most {} bytes, {} is larger", most_bytes, path);
    QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
    QString text = decoder(bytes);
    gpu::check(!decoder.hasError() && !text.contains(QChar::Null), ErrorCode::BadFile, "expected a text in UTF-8, {} is none", path);
    if (text.endsWith('\n')) text.chop(text.endsWith("\r\n") ? 2 : 1);
    return text.toStdString();
}

}  // namespace

QByteArray read_source(const std::string& path, const std::string& expected, qint64 most) {
    QFile file(QString::fromStdString(path));
    const bool open = path == "-" ? file.open(stdin, QIODevice::ReadOnly) : !QFileInfo(file).isDir() && file.open(QIODevice::ReadOnly);
    gpu::check(open, QFileInfo(file).exists() ? ErrorCode::Io : ErrorCode::MissingFile, "{}, {} {}", expected,
               QFileInfo(file).exists() ? "can not read" : "there is no", path);
    QByteArray bytes;
    while (bytes.size() <= most) {      // a pipe gives what it has
        const QByteArray more = file.read(most + 1 - bytes.size());
        if (more.isEmpty()) break;
        bytes += more;
    }
    gpu::check(file.error() == QFileDevice::NoError, ErrorCode::Io, "{}: read {}: {}", expected, path, file.errorString().toStdString());
    return bytes;
}

std::string resolved_set(const std::string& assignment) {
    const std::size_t at = value_at(assignment);
    if (at >= assignment.size() || assignment[at] != '@') return assignment;      // npos is the largest number
    const std::string name = assignment.substr(0, at), rest = assignment.substr(at + 1);
    if (rest.starts_with('@')) return name + rest;
    try {
        gpu::check(!rest.empty(), ErrorCode::Usage, "expected a file's name behind @; a text that begins with @ is written @@");
        return name + text_of(rest);
    } catch (const Error& error) {
        throw Error(error.code(), "--set {}: {}", name.substr(0, name.size() - 1), error.message());
    }
}

std::vector<std::string> given_sets(const Arguments& arguments) {
    std::vector<std::string> sets = arguments.values("--set");
    const auto of_stdin = std::ranges::count_if(sets, [](const std::string& set) { return value_at(set) < set.size() && set.substr(value_at(set)) == "@-"; });
    const auto others = std::ranges::count(arguments.positionals(), "-") + (arguments.value("--inputs") == "-" ? 1 : 0);
    gpu::check(of_stdin == 0 || of_stdin + others == 1, ErrorCode::Usage, "expected one text on stdin, the graph, --inputs or --set ...=@-, got several");
    for (std::string& set : sets) set = resolved_set(set);
    return sets;
}

}  // namespace app
