#include "nodes/codec/picture_folder.h"

#include <QByteArray>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QString>
#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string_view>

#include "gpu/base/error.h"

namespace nodes {
namespace {

namespace fs = std::filesystem;
using gpu::ErrorCode;

constexpr qint64 most_caption = 1 << 16, most_table = qint64{256} << 20;      // bytes
constexpr std::array suffixes{".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff", ".exr", ".bmp", ".gif"};

bool is_picture(const fs::path& path) {
    const std::string suffix = QString::fromStdString(path.extension().string()).toLower().toStdString();
    return std::find(suffixes.begin(), suffixes.end(), suffix) != suffixes.end();
}

std::string content(const fs::path& path, qint64 most) {
    QFile file(QString::fromStdString(path.string()));
    gpu::check(file.open(QIODevice::ReadOnly), ErrorCode::MissingFile, "{}: can not be read", path.string());
    gpu::check(file.size() <= most, ErrorCode::BadFile, "{}: expected a file of at most {} bytes, got {}", path.string(), most, file.size());
    return file.readAll().toStdString();
}

using Captions = std::map<std::string, std::string>;      // by path

void add(Captions& captions, const fs::path& table, const std::string& name, const std::string& text) {
    captions.emplace((table.parent_path() / name).lexically_normal().string(), text);
}

std::string text_of(const QJsonObject& row) {
    for (const char* key : {"text", "caption", "prompt"})
        if (row[key].isString()) return row[key].toString().toStdString();
    return {};
}

void read_json_lines(Captions& captions, const fs::path& table) {
    int line = 0;
    for (const QByteArray& row : QByteArray::fromStdString(content(table, most_table)).split('\n')) {
        ++line;
        if (row.trimmed().isEmpty()) continue;
        const QJsonObject object = QJsonDocument::fromJson(row).object();
        gpu::check(object["file_name"].isString(), ErrorCode::BadFile, "{}: expected an object with a file_name in line {}, got another text", table.string(), line);
        add(captions, table, object["file_name"].toString().toStdString(), text_of(object));
    }
}

void read_csv_table(Captions& captions, const fs::path& table) {
    const auto rows = read_csv(content(table, most_table), table.string());
    if (rows.empty()) return;
    const auto column = [&](std::initializer_list<const char*> names) {
        for (const char* name : names)
            if (const auto at = std::find(rows[0].begin(), rows[0].end(), name); at != rows[0].end()) return at - rows[0].begin();
        throw gpu::Error(ErrorCode::BadFile, "{}: expected a column {} in the first line, got none", table.string(), *names.begin());
    };
    const auto file = static_cast<std::size_t>(column({"file_name", "file", "image"})), text = static_cast<std::size_t>(column({"text", "caption", "prompt"}));
    for (std::size_t i = 1; i < rows.size(); ++i) {
        gpu::check(rows[i].size() > std::max(file, text), ErrorCode::BadFile, "{}: expected {} columns in row {}, got {}", table.string(), rows[0].size(), i + 1, rows[i].size());
        add(captions, table, rows[i][file], rows[i][text]);
    }
}

void read_json_table(Captions& captions, const fs::path& table) {
    const QJsonDocument document = QJsonDocument::fromJson(QByteArray::fromStdString(content(table, most_table)));
    gpu::check(document.isObject(), ErrorCode::BadFile, "{}: expected an object with a caption for each file name, got another text", table.string());
    const QJsonObject all = document.object();
    for (auto at = all.begin(); at != all.end(); ++at)
        add(captions, table, at.key().toStdString(), at->isString() ? at->toString().toStdString() : text_of(at->toObject()));
}

}  // namespace

std::vector<std::vector<std::string>> read_csv(const std::string& text, const std::string& name) {
    std::vector<std::vector<std::string>> rows;
    std::vector<std::string> row;
    std::string cell;
    bool quoted = false, any = false;
    const auto end_row = [&] {
        row.push_back(std::move(cell));
        cell.clear();
        if (any || row.size() > 1 || !row[0].empty()) rows.push_back(std::move(row));
        row.clear();
        any = false;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            if (c != '"')
                cell += c;
            else if (i + 1 < text.size() && text[i + 1] == '"')
                cell += text[++i];
            else
                quoted = false;
        } else if (c == '"' && cell.empty()) {
            quoted = any = true;
        } else if (c == ',') {
            row.push_back(std::move(cell));
            cell.clear();
        } else if (c == '\n') {
            end_row();
        } else if (c != '\r') {
            cell += c;
        }
    }
    gpu::check(!quoted, ErrorCode::BadFile, "{}: expected a quote's end in row {}, got the end of the file", name, rows.size() + 1);
    if (any || !cell.empty() || !row.empty()) end_row();
    return rows;
}

std::vector<FolderPicture> list_pictures(const std::string& folder) {
    std::error_code error;
    gpu::check(fs::is_directory(folder, error), ErrorCode::MissingFile, "{}: expected a folder of pictures, got none", folder);
    std::vector<fs::path> pictures;
    Captions captions;
    for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error), end; !error && at != end; at.increment(error)) {
        if (!at->is_regular_file(error)) continue;
        const std::string name = at->path().filename().string();
        if (name == "metadata.jsonl")
            read_json_lines(captions, at->path());
        else if (name == "metadata.csv")
            read_csv_table(captions, at->path());
        else if (name == "captions.json")
            read_json_table(captions, at->path());
        else if (is_picture(at->path()))
            pictures.push_back(at->path());
    }
    gpu::check(!error, ErrorCode::Io, "{}: can not be listed: {}", folder, error.message());
    std::sort(pictures.begin(), pictures.end());
    std::map<std::string, std::string> masks;      // by the picture's path without its suffix
    constexpr std::string_view mark = "-mask";
    const auto bare = [](fs::path path) { return path.replace_extension().string(); };
    std::set<std::string> named;
    for (const fs::path& picture : pictures) named.insert(bare(picture));
    std::erase_if(pictures, [&](const fs::path& path) {
        const std::string name = bare(path);
        if (!name.ends_with(mark) || !named.contains(name.substr(0, name.size() - mark.size()))) return false;
        masks.emplace(name.substr(0, name.size() - mark.size()), path.string());
        return true;
    });
    std::vector<FolderPicture> all;
    for (const fs::path& picture : pictures) {
        FolderPicture one{picture.string(), {}, {}};
        if (const auto at = masks.find(bare(picture)); at != masks.end()) one.mask = at->second;
        for (const char* suffix : {".txt", ".caption"}) {
            fs::path beside = picture;
            beside.replace_extension(suffix);
            if (one.caption.empty() && fs::is_regular_file(beside, error)) one.caption = QString::fromStdString(content(beside, most_caption)).trimmed().toStdString();
        }
        if (one.caption.empty())
            if (const auto at = captions.find(picture.lexically_normal().string()); at != captions.end()) one.caption = at->second;
        all.push_back(std::move(one));
    }
    return all;
}

}  // namespace nodes
