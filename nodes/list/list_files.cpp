#include <QDir>
#include <QJsonObject>
#include <QStringList>
#include <algorithm>

#include "gpu/base/error.h"
#include "nodes/core/lists.h"
#include "nodes/types/image.h"
#include "nodes/types/text.h"

namespace nodes {
namespace {

using gpu::ErrorCode;

struct ListFiles final : ListNode {
    ListFiles() : ListNode({.id = "list.files", .version = 1, .title = "Files", .category = "List",
                            .help = "The files of a folder, by name. What depends on it runs once for each, up to a Collect List; where a file changed, that one alone runs anew."},
                           ListRole::Source) {}

    Param<FilePath>    folder {this, "folder", "The folder"};
    Param<std::string> pattern{this, "pattern", "Which files: names with * for anything and ? for a character, several with a space between them", {.initial = "*.png *.jpg *.jpeg *.webp", .required = true}};
    Out<Image>         image  {this, "image", "The picture in the file"};
    Out<std::string>   path   {this, "path", "The file's whole name, for a parameter that follows the list"};
    Out<std::string>   name   {this, "name", "Its name without folder and ending"};

    std::vector<ListElement> elements(const std::vector<QJsonValue>& params, const FilePlaces* places) const override {
        const auto given = [&](const Handle& param) { return params[static_cast<std::size_t>(param.index())].toString(); };
        const QStringList patterns = given(pattern).split(' ', Qt::SkipEmptyParts);
        if (!places) {
            ListElement one = element("file.png");
            one.stands = true;
            return {one};
        }
        const std::string where = resolve_input(*places, given(folder).toStdString());
        gpu::check(path_readable(*places, where), ErrorCode::InvalidGraph, "expected a folder that was allowed to this run, got {}", where);
        const QDir from(QString::fromStdString(where));
        gpu::check(!where.empty() && from.exists(), ErrorCode::MissingFile, "expected a folder, there is no {}", where);
        std::vector<ListElement> made;
        for (const QString& file : from.entryList(patterns, QDir::Files | QDir::Readable, QDir::Name)) made.push_back(element(from.absoluteFilePath(file)));
        gpu::check(!made.empty(), ErrorCode::MissingFile, "expected files {} in {}, there is none", given(pattern).toStdString(), where);
        return made;
    }

private:
    static ListElement element(const QString& file) {
        const QString base = QFileInfo(file).completeBaseName();
        const auto text = [](const QString& value) { return ListElement::Part{.type = "value.text", .params = {{"value", value}}, .output = "text", .value = value}; };
        return {.label = base.toStdString(),
                .parts = {{.type = "image.load", .params = {{"file", file}}, .output = "image"}, text(file), text(base)}};
    }
};

}  // namespace

REGISTER_NODE(list_files, ListFiles)

}  // namespace nodes
