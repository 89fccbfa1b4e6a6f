#include "nodes/interchange/open_graph.h"

#include <QFile>
#include <span>

#include "gpu/base/error.h"
#include "gpu/io/mapped_file.h"
#include "nodes/codec/image_file.h"
#include "nodes/codec/picture_texts.h"
#include "nodes/codec/video_file.h"
#include "nodes/interchange/foreign_graphs.h"
#include "nodes/interchange/infotext.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::Error;
using gpu::ErrorCode;

// By the first bytes: a document is text.
bool is_picture(const QByteArray& start) {
    return start.startsWith("\x89PNG") || start.startsWith("\xff\xd8\xff") || start.startsWith("\x76\x2f\x31\x01") ||
           start.startsWith(QByteArray("II*\0", 4)) || start.startsWith(QByteArray("MM\0*", 4)) ||
           (start.startsWith("RIFF") && start.endsWith("WEBP")) || start.endsWith("ftypavif");
}

OpenedGraph translated(ComfyImport made) { return {std::move(made.document), std::move(made.report)}; }

// The first that can be read, else what was wrong with the first that looked like one.
OpenedGraph open_texts(const std::vector<PictureText>& texts, const ComfyOptions& options, const std::string& path) {
    std::optional<Error> wrong;
    for (const ForeignGraph& graph : foreign_graphs(texts)) {
        try {
            const QByteArray text = QByteArray::fromStdString(graph.text);
            return translated(graph.kind == ForeignGraph::Kind::Infotext ? import_infotext(graph.text, path) : import_comfy(text, options, path));
        } catch (Error& error) {
            if (!wrong) wrong = error.in(graph.place);
        }
    }
    if (wrong) throw *wrong;
    throw Error(ErrorCode::BadFile, "read document {}: expected a picture that holds its graph, this one holds none",
                path);
}

OpenedGraph open_picture(const std::string& path, const ComfyOptions& options) {
    if (const std::string text = embedded_document(path); !text.empty())
        return {Document::from_json(QByteArray::fromStdString(text), path)};
    return open_texts(picture_texts(gpu::MappedFile(path).bytes()), options, path);
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
    if (is_picture(file.peek(12))) return open_picture(path, options);
    const QByteArray start = file.peek(8);
    if (is_video(std::as_bytes(std::span(start.constData(), static_cast<std::size_t>(start.size()))))) return open_video_graph(path);
    check(!start.isEmpty(), ErrorCode::BadFile, "read document {}: expected a graph, the file is empty", path);
    // Model files are large, and no text: they are not read to the end to find that out.
    check(!start.contains('\0'), ErrorCode::BadFile, "read document {}: expected a graph, or a picture or video that holds one, this is some other file", path);
    const QByteArray text = file.readAll();
    check(file.error() == QFileDevice::NoError, ErrorCode::Io, "read document {}: {}", path,
          file.errorString().toStdString());
    return open_graph_text(text, options, path);
}

}  // namespace nodes
