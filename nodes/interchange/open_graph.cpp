#include "nodes/interchange/open_graph.h"

#include <QFile>
#include <span>

#include "gpu/base/error.h"
#include "gpu/io/mapped_file.h"
#include "nodes/codec/image_file.h"
#include "nodes/codec/png.h"
#include "nodes/codec/video_file.h"
#include "nodes/interchange/infotext.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::Error;
using gpu::ErrorCode;

// By the first bytes: a document is text.
bool is_picture(const QByteArray& start) {
    return start == "\x89PNG" || start.startsWith("\xff\xd8\xff") || start == "\x76\x2f\x31\x01" ||
           start == QByteArray("II*\0", 4) || start == QByteArray("MM\0*", 4);
}

OpenedGraph translated(ComfyImport made) { return {std::move(made.document), std::move(made.report)}; }

// What other tools write beside the pixels. The editor's form comes first, because it has the layout.
OpenedGraph open_png(std::span<const std::byte> bytes, const ComfyOptions& options, const std::string& path) {
    std::optional<Error> wrong;
    for (const char* keyword : {"workflow", "prompt"}) {
        const std::string text = png_text(bytes, keyword);
        if (text.empty()) continue;
        try {
            return translated(import_comfy(QByteArray::fromStdString(text), options, path));
        } catch (Error& error) {
            if (!wrong) wrong = error.in(std::string("chunk ") + keyword);
        }
    }
    if (const std::string text = png_text(bytes, "parameters"); !text.empty())
        return translated(import_infotext(text, path));
    if (wrong) throw *wrong;
    throw Error(ErrorCode::BadFile, "read document {}: expected a picture that holds its graph, this one holds none",
                path);
}

OpenedGraph open_picture(const std::string& path, const ComfyOptions& options) {
    if (const std::string text = embedded_document(path); !text.empty())
        return {Document::from_json(QByteArray::fromStdString(text), path)};
    const gpu::MappedFile file(path);
    check(is_png(file.bytes()), ErrorCode::BadFile,
          "read document {}: expected a picture that holds its graph, this one holds none", path);
    return open_png(file.bytes(), options, path);
}

OpenedGraph open_video_graph(const std::string& path) {
    const std::string text = embedded_video_document(path);
    check(!text.empty(), ErrorCode::BadFile, "read document {}: expected a video that holds its graph, this one holds none", path);
    return {Document::from_json(QByteArray::fromStdString(text), path)};
}

}  // namespace

OpenedGraph open_graph_text(const QByteArray& text, const ComfyOptions& options, const std::string& path) {
    if (is_comfy_text(text)) return translated(import_comfy(text, options, path));
    return {Document::from_json(text, path)};
}

OpenedGraph open_graph(const std::string& path, const ComfyOptions& options) {
    QFile file(QString::fromStdString(path));
    check(file.exists(), ErrorCode::MissingFile, "read document: expected a file, there is no {}", path);
    check(file.open(QIODevice::ReadOnly), ErrorCode::Io, "read document {}: {}", path,
          file.errorString().toStdString());
    if (is_picture(file.peek(4))) return open_picture(path, options);
    const QByteArray start = file.peek(8);
    if (is_video(std::as_bytes(std::span(start.constData(), static_cast<std::size_t>(start.size()))))) return open_video_graph(path);
    const QByteArray text = file.readAll();
    check(file.error() == QFileDevice::NoError, ErrorCode::Io, "read document {}: {}", path,
          file.errorString().toStdString());
    return open_graph_text(text, options, path);
}

}  // namespace nodes
