#include "nodes/core/frames.h"

#include <set>

#include "gpu/base/error.h"

namespace nodes {
namespace {

const QString list_key = QStringLiteral("frames"), member_key = QStringLiteral("frame");

QString qt(const std::string& text) { return QString::fromStdString(text); }

QJsonObject definitions(const Document& document) { return document.extra()[list_key].toObject(); }

Document with_definitions(const Document& document, const QJsonObject& frames) {
    QJsonObject extra = document.extra();
    if (frames.isEmpty())
        extra.remove(list_key);
    else
        extra[list_key] = frames;
    return document.set_extra(extra);
}

std::string free_id(const QJsonObject& frames, const std::string& wanted) {
    std::string id = wanted;
    for (int number = 2; frames.contains(qt(id)); ++number) id = "frame" + std::to_string(number);
    return id;
}

Document set_field(const Document& document, const std::string& frame, const char* field, const std::string& value) {
    QJsonObject frames = definitions(document);
    gpu::check(frames[qt(frame)].isObject(), gpu::ErrorCode::InvalidGraph, "change a frame: expected a frame of the document, got '{}'", frame);
    QJsonObject fields = frames[qt(frame)].toObject();
    if (value.empty())
        fields.remove(QLatin1String(field));
    else
        fields[QLatin1String(field)] = qt(value);
    frames[qt(frame)] = fields;
    return with_definitions(document, frames);
}

}  // namespace

std::map<std::string, Frame> frames_of(const Document& document) {
    std::map<std::string, Frame> found;
    const QJsonObject frames = definitions(document);
    if (frames.isEmpty()) return found;
    for (const std::string& id : document.node_ids())
        if (const QString frame = document.layout_of(id)[member_key].toString(); !frame.isEmpty() && frames[frame].isObject())
            found[frame.toStdString()].nodes.push_back(id);
    for (auto& [id, frame] : found) {
        const QJsonObject fields = frames[qt(id)].toObject();
        frame.title = fields["title"].toString().toStdString();
        frame.colour = fields["colour"].toString().toStdString();
    }
    return found;
}

std::string frame_of(const Document& document, const std::string& node) {
    const QString frame = document.layout_of(node)[member_key].toString();
    return definitions(document)[frame].isObject() ? frame.toStdString() : std::string();
}

Document add_frame(const Document& document, const std::vector<std::string>& nodes, const std::string& title, const std::string& colour, std::string* made) {
    gpu::check(!nodes.empty(), gpu::ErrorCode::InvalidGraph, "make a frame: expected nodes, got none");
    QJsonObject frames = definitions(document);
    const std::string id = free_id(frames, "frame");
    QJsonObject fields{{"title", qt(title)}};
    if (!colour.empty()) fields["colour"] = qt(colour);
    frames[qt(id)] = fields;
    Document result = with_definitions(document, frames);
    for (const std::string& node : nodes) {
        (void)document.node(node);      // throws where it is not there
        QJsonObject layout = result.layout_of(node);
        layout[member_key] = qt(id);
        result = result.set_layout(node, layout);
    }
    if (made) *made = id;
    return without_empty_frames(result);
}

Document set_frame_title(const Document& document, const std::string& frame, const std::string& title) { return set_field(document, frame, "title", title); }
Document set_frame_colour(const Document& document, const std::string& frame, const std::string& colour) { return set_field(document, frame, "colour", colour); }

Document put_into_frame(const Document& document, const std::string& node, const std::string& frame) {
    if (frame_of(document, node) == frame) return document;
    gpu::check(frame.empty() || definitions(document)[qt(frame)].isObject(), gpu::ErrorCode::InvalidGraph,
               "put a node into a frame: expected a frame of the document, got '{}'", frame);
    QJsonObject layout = document.layout_of(node);
    if (frame.empty())
        layout.remove(member_key);
    else
        layout[member_key] = qt(frame);
    return without_empty_frames(document.set_layout(node, layout));
}

Document remove_frame(const Document& document, const std::string& frame) {
    QJsonObject frames = definitions(document);
    frames.remove(qt(frame));
    Document result = with_definitions(document, frames);
    for (const std::string& id : result.node_ids()) {
        QJsonObject layout = result.layout_of(id);
        if (layout[member_key].toString().toStdString() != frame) continue;
        layout.remove(member_key);
        result = result.set_layout(id, layout);
    }
    return result;
}

Document rename_frame(const Document& document, const std::string& frame, const std::string& to) {
    QJsonObject frames = definitions(document);
    gpu::check(!frames.contains(qt(to)), gpu::ErrorCode::InvalidGraph, "rename a frame: expected an id that is free, '{}' is taken", to);
    frames[qt(to)] = frames.take(qt(frame));
    Document result = with_definitions(document, frames);
    for (const std::string& id : result.node_ids())
        if (QJsonObject layout = result.layout_of(id); layout[member_key].toString() == qt(frame)) {
            layout[member_key] = qt(to);
            result = result.set_layout(id, layout);
        }
    return result;
}

Document without_empty_frames(const Document& document) {
    QJsonObject frames = definitions(document);
    if (frames.isEmpty()) return document;
    const auto used = frames_of(document);
    const QStringList ids = frames.keys();
    for (const QString& id : ids)
        if (frames[id].isObject() && !used.contains(id.toStdString())) frames.remove(id);
    return frames.size() == ids.size() ? document : with_definitions(document, frames);
}

Document with_frames_of(const Document& to, const Document& from, std::map<std::string, std::string>* ids) {
    QJsonObject frames = definitions(to);
    const QJsonObject theirs = definitions(from);
    for (const auto& [id, frame] : frames_of(from)) {
        const std::string free = free_id(frames, id);
        frames[qt(free)] = theirs[qt(id)];
        if (ids) (*ids)[id] = free;
    }
    return with_definitions(to, frames);
}

QJsonObject with_frame(QJsonObject layout, const std::map<std::string, std::string>& ids) {
    const auto at = ids.find(layout[member_key].toString().toStdString());
    if (at == ids.end())
        layout.remove(member_key);
    else
        layout[member_key] = qt(at->second);
    return layout;
}

}  // namespace nodes
