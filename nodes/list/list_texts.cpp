#include <QFile>
#include <QJsonObject>
#include <QString>
#include <algorithm>

#include "gpu/base/error.h"
#include "nodes/codec/picture_folder.h"
#include "nodes/core/lists.h"
#include "nodes/core/nearest.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

using gpu::ErrorCode;

constexpr qint64 most_bytes = 64 << 20;

std::string content_of(const std::string& path, const FilePlaces& places) {
    gpu::check(path_readable(places, path), ErrorCode::InvalidGraph, "expected a file in a folder that was allowed to this run, got {}", path);
    QFile file(QString::fromStdString(path));
    gpu::check(file.open(QIODevice::ReadOnly), ErrorCode::MissingFile, "expected a file of texts, there is no {}", path);
    gpu::check(file.size() <= most_bytes, ErrorCode::BadFile, "{}: expected {} bytes of texts at most, got {}", path, most_bytes, file.size());
    return file.readAll().toStdString();
}

std::vector<std::string> column_of(const std::string& path, const std::string& text, const std::string& column) {
    const auto rows = read_csv(text, path);
    gpu::check(!rows.empty(), ErrorCode::BadFile, "{}: expected a table with a row of names, it is empty", path);
    const auto at = std::ranges::find(rows[0], column);
    gpu::check(at != rows[0].end(), ErrorCode::BadFile, "{}: expected a column '{}'{}", path, column, suggestion(column, rows[0]));
    std::vector<std::string> cells;
    for (std::size_t row = 1; row < rows.size(); ++row) {
        const auto index = static_cast<std::size_t>(at - rows[0].begin());
        gpu::check(index < rows[row].size(), ErrorCode::BadFile, "{}: expected a cell of column '{}' in row {}, the row ends before", path, column, row + 1);
        cells.push_back(rows[row][index]);
    }
    return cells;
}

struct ListTexts final : ListNode {
    ListTexts() : ListNode({.id = "list.texts", .version = 1, .title = "Texts", .category = "List",
                            .help = "A list of texts, such as prompts: one a line, or a column of a table. What depends on it runs once for each, up to a Collect List."},
                           ListRole::Source) {}

    Param<std::string> lines {this, "lines", "A text a line; empty lines are left out", {.multiline = true}};
    Param<FilePath>    file  {this, "file", "A file with a text a line, or a CSV table, in place of the lines", {.filter = "Texts (*.txt *.csv);;All files (*)", .required = false}};
    Param<std::string> column{this, "column", "The column of the CSV table, by the name in its first row; empty: the file has a text a line"};
    Out<std::string>   text  {this, "text", "One of the texts"};

    std::vector<ListElement> elements(const std::vector<QJsonValue>& params, const FilePlaces* places) const override {
        const auto given = [&](const Handle& param) { return params[static_cast<std::size_t>(param.index())].toString().toStdString(); };
        std::vector<std::string> texts;
        if (given(file).empty()) {
            texts = text_lines(given(lines));
        } else if (!places) {
            texts = {"text"};
        } else {
            const std::string path = resolve_input(*places, given(file)), all = content_of(path, *places);
            texts = given(column).empty() ? text_lines(all) : column_of(path, all, given(column));
        }
        gpu::check(!texts.empty(), ErrorCode::InvalidGraph, "expected at least one text, there is none");
        std::vector<ListElement> made;
        for (const std::string& one : texts) {
            const QString value = QString::fromStdString(one);
            made.push_back({.label = one,
                            .parts = {{.type = "value.text", .params = {{"value", value}}, .output = "text", .value = value}},
                            .stands = !given(file).empty() && !places});
        }
        return made;
    }
};

}  // namespace

REGISTER_NODE(list_texts, ListTexts)

}  // namespace nodes
