#include "nodes/core/frames.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "gpu/base/error.h"

namespace nodes {
namespace {

constexpr double most_side = 1e6;

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

// Puts fields, of a frame or of a node's layout, into a frame; empty: into none.
QJsonObject joined(QJsonObject fields, const std::string& frame) {
    if (frame.empty())
        fields.remove(member_key);
    else
        fields[member_key] = qt(frame);
    return fields;
}

// Gives whatever names the frame another, or none.
Document replaced(const Document& document, QJsonObject frames, const std::string& frame, const std::string& by) {
    for (const QString& id : frames.keys())
        if (const QJsonObject fields = frames[id].toObject(); fields[member_key].toString() == qt(frame)) frames[id] = joined(fields, by);
    Document result = with_definitions(document, frames);
    std::map<std::string, QJsonObject> layouts;
    for (const std::string& id : result.node_ids())
        if (const QJsonObject layout = result.layout_of(id); layout[member_key].toString() == qt(frame)) layouts[id] = joined(layout, by);
    return result.set_layouts(layouts);
}

void expect_frame(const QJsonObject& frames, const std::string& frame, const char* what) {
    gpu::check(frames[qt(frame)].isObject(), gpu::ErrorCode::InvalidGraph, "{}: expected a frame of the document, got '{}'", what, frame);
}

// What frames say about the ones around them, without circles.
void read_nest(const QJsonObject& frames, Frames& found) {
    for (auto& [id, frame] : found) {
        std::set<std::string> seen{id};
        std::string at = frames[qt(id)].toObject()[member_key].toString().toStdString();
        const std::string around = found.contains(at) ? at : std::string();
        while (found.contains(at) && seen.insert(at).second) at = frames[qt(at)].toObject()[member_key].toString().toStdString();
        frame.around = at == id ? std::string() : around;
    }
    std::set<std::string> used;      // a circle may have been all that held some of them
    for (const auto& [id, frame] : found)
        for (std::string at = frame.nodes.empty() ? std::string() : id; !at.empty() && used.insert(at).second;) at = found.at(at).around;
    std::erase_if(found, [&](const auto& entry) { return !used.contains(entry.first); });
    for (auto& [id, frame] : found)
        if (!found.contains(frame.around)) frame.around.clear();
}

Document set_field(const Document& document, const std::string& frame, const char* field, const std::string& value) {
    QJsonObject frames = definitions(document);
    expect_frame(frames, frame, "change a frame");
    QJsonObject fields = frames[qt(frame)].toObject();
    if (value.empty())
        fields.remove(QLatin1String(field));
    else
        fields[QLatin1String(field)] = qt(value);
    frames[qt(frame)] = fields;
    return with_definitions(document, frames);
}

}  // namespace

Frames frames_of(const Document& document) {
    Frames found;
    const QJsonObject frames = definitions(document);
    if (frames.isEmpty()) return found;
    std::map<QString, Frame*> own;      // null: names no frame
    for (const auto& [id, layout] : document.layouts()) {
        const QJsonValue member = layout[member_key];
        if (!member.isString() || !document.contains(id)) continue;
        QString frame = member.toString();
        const auto [at, first] = own.try_emplace(frame, nullptr);
        if (first && !frame.isEmpty() && frames[frame].isObject()) {
            at->second = &found[frame.toStdString()];
            // Those around it are there because of it.
            do frame = frames[frame].toObject()[member_key].toString();
            while (!frame.isEmpty() && frames[frame].isObject() && found.try_emplace(frame.toStdString()).second);
        }
        if (at->second) at->second->nodes.push_back(id);
    }
    for (auto& [id, frame] : found) {
        const QJsonObject fields = frames[qt(id)].toObject();
        frame.title = fields["title"].toString().toStdString();
        frame.colour = fields["colour"].toString().toStdString();
        frame.width = std::clamp(fields["width"].toDouble(), 0.0, most_side);
        frame.height = std::clamp(fields["height"].toDouble(), 0.0, most_side);
    }
    read_nest(frames, found);
    return found;
}

std::string frame_of(const Document& document, const std::string& node) {
    const QString frame = document.layout_of(node)[member_key].toString();
    return definitions(document)[frame].isObject() ? frame.toStdString() : std::string();
}

std::vector<std::string> nodes_within(const Frames& frames, const std::string& frame) {
    std::vector<std::string> found;
    for (const auto& [id, one] : frames)
        if (id == frame || is_within(frames, id, frame)) found.insert(found.end(), one.nodes.begin(), one.nodes.end());
    std::ranges::sort(found);
    return found;
}

bool is_within(const Frames& frames, const std::string& frame, const std::string& outer) {
    for (auto at = frames.find(frame); at != frames.end(); at = frames.find(at->second.around))
        if (!at->second.around.empty() && at->second.around == outer) return true;
    return false;
}

int frame_depth(const Frames& frames, const std::string& frame) {
    int depth = -1;
    for (auto at = frames.find(frame); at != frames.end(); at = frames.find(at->second.around)) ++depth;
    return std::max(0, depth);
}

std::set<std::string> whole_frames(const Frames& frames, const std::set<std::string>& nodes) {
    std::set<std::string> broken;
    for (const auto& [id, frame] : frames) {
        if (std::ranges::all_of(frame.nodes, [&](const std::string& node) { return nodes.contains(node); })) continue;
        for (auto at = frames.find(id); at != frames.end() && broken.insert(at->first).second; at = frames.find(at->second.around)) {}
    }
    std::set<std::string> whole;
    for (const auto& [id, frame] : frames)
        if (!broken.contains(id)) whole.insert(id);
    return whole;
}

Document add_frame(const Document& document, const std::vector<std::string>& nodes, const std::string& title, const std::string& colour, std::string* made) {
    gpu::check(!nodes.empty(), gpu::ErrorCode::InvalidGraph, "make a frame: expected nodes, got none");
    QJsonObject frames = definitions(document);
    const Frames before = frames_of(document);
    const std::set<std::string> whole = whole_frames(before, {nodes.begin(), nodes.end()});
    // What goes into the new frame by itself: outermost whole frames, and nodes that are in none of them. `around` are the
    // frames that all of it lies in.
    std::set<std::string> inner;
    std::vector<std::string> loose;
    std::optional<std::vector<std::string>> around;
    const auto lies_in = [&](std::string frame) {
        std::vector<std::string> chain;
        for (; !frame.empty(); frame = before.at(frame).around) chain.push_back(frame);
        if (!around) around = chain;
        std::erase_if(*around, [&](const std::string& one) { return std::ranges::find(chain, one) == chain.end(); });
    };
    for (const std::string& id : whole)
        if (!whole.contains(before.at(id).around)) {
            inner.insert(id);
            lies_in(before.at(id).around);
        }
    for (const std::string& node : nodes) {
        (void)document.node(node);      // throws where it is not there
        const std::string own = frame_of(document, node);
        if (whole.contains(own)) continue;
        loose.push_back(node);
        lies_in(own);
    }
    const std::string id = free_id(frames, "frame");
    QJsonObject fields{{"title", qt(title)}};
    if (!colour.empty()) fields["colour"] = qt(colour);
    frames[qt(id)] = joined(fields, around->empty() ? std::string() : around->front());
    for (const std::string& one : inner) frames[qt(one)] = joined(frames[qt(one)].toObject(), id);
    Document result = with_definitions(document, frames);
    std::map<std::string, QJsonObject> layouts;
    for (const std::string& node : loose) layouts[node] = joined(result.layout_of(node), id);
    result = result.set_layouts(layouts);
    if (made) *made = id;
    return without_empty_frames(result);
}

Document set_frame_title(const Document& document, const std::string& frame, const std::string& title) { return set_field(document, frame, "title", title); }
Document set_frame_colour(const Document& document, const std::string& frame, const std::string& colour) { return set_field(document, frame, "colour", colour); }

Document set_frame_size(const Document& document, const std::string& frame, double width, double height) {
    QJsonObject frames = definitions(document);
    expect_frame(frames, frame, "change a frame");
    QJsonObject fields = frames[qt(frame)].toObject();
    for (const auto& [name, side] : {std::pair("width", width), std::pair("height", height)}) {
        if (const double kept = std::round(std::clamp(side, 0.0, most_side)); kept > 0)
            fields[QLatin1String(name)] = kept;
        else
            fields.remove(QLatin1String(name));
    }
    frames[qt(frame)] = fields;
    return with_definitions(document, frames);
}

Document put_into_frame(const Document& document, const std::string& node, const std::string& frame) {
    if (frame_of(document, node) == frame) return document;
    if (!frame.empty()) expect_frame(definitions(document), frame, "put a node into a frame");
    return without_empty_frames(document.set_layout(node, joined(document.layout_of(node), frame)));
}

Document nest_frame(const Document& document, const std::string& frame, const std::string& around) {
    QJsonObject frames = definitions(document);
    expect_frame(frames, frame, "put a frame into a frame");
    if (!around.empty()) expect_frame(frames, around, "put a frame into a frame");
    gpu::check(around != frame && !is_within(frames_of(document), around, frame), gpu::ErrorCode::InvalidGraph,
               "put a frame into a frame: expected one that is not in it, '{}' is in '{}'", around, frame);
    frames[qt(frame)] = joined(frames[qt(frame)].toObject(), around);
    return without_empty_frames(with_definitions(document, frames));
}

Document remove_frame(const Document& document, const std::string& frame) {
    const Frames all = frames_of(document);
    const auto at = all.find(frame);
    QJsonObject frames = definitions(document);
    frames.remove(qt(frame));
    return replaced(document, frames, frame, at == all.end() ? std::string() : at->second.around);
}

Document rename_frame(const Document& document, const std::string& frame, const std::string& to) {
    QJsonObject frames = definitions(document);
    gpu::check(!frames.contains(qt(to)), gpu::ErrorCode::InvalidGraph, "rename a frame: expected an id that is free, '{}' is taken", to);
    frames[qt(to)] = frames.take(qt(frame));
    return replaced(document, frames, frame, to);
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

Document with_whole_frames(const Document& part, const Document& whole) {
    const std::vector<std::string> ids = part.node_ids();
    const std::set<std::string> kept = whole_frames(frames_of(whole), {ids.begin(), ids.end()});
    QJsonObject frames;
    const QJsonObject all = definitions(whole);
    for (const std::string& id : kept) frames[qt(id)] = all[qt(id)];
    return with_definitions(part, frames);
}

Document with_frames_of(const Document& to, const Document& from, std::map<std::string, std::string>* ids) {
    QJsonObject frames = definitions(to);
    const QJsonObject theirs = definitions(from);
    std::map<std::string, std::string> made = ids ? *ids : std::map<std::string, std::string>();
    const Frames added = frames_of(from);
    for (const auto& [id, frame] : added) {
        made[id] = free_id(frames, id);
        frames[qt(made[id])] = QJsonObject();      // taken
    }
    for (const auto& [id, frame] : added) frames[qt(made[id])] = with_frame(theirs[qt(id)].toObject(), made);
    if (ids) *ids = made;
    return with_definitions(to, frames);
}

QJsonObject with_frame(QJsonObject layout, const std::map<std::string, std::string>& ids) {
    const QJsonValue member = layout[member_key];
    if (member.isUndefined()) return layout;
    const auto at = ids.find(member.toString().toStdString());
    if (at == ids.end())
        layout.remove(member_key);
    else
        layout[member_key] = qt(at->second);
    return layout;
}

}  // namespace nodes
