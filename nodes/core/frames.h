// Frames: titled, coloured areas of the canvas that own nodes.
//
// What a frame is stands in the document's field "frames", {ID: {"title", "colour"}}; which one a node belongs to in the
// node's layout, {"x", "y", "frame": ID}. So a node has one frame at most, members that go are members no more, and two
// people may each put a node into one frame without a conflict. A frame is as large as its nodes: it has no place of its
// own, and one without nodes is not there. Every level (subgraph) has its own frames.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nodes/core/document.h"

namespace nodes {

struct Frame {
    std::string title{};
    std::string colour{};              // "#4d93e6"; empty: none of its own
    std::vector<std::string> nodes{};  // sorted, never empty

    friend bool operator==(const Frame&, const Frame&) = default;
};

// The frames that have nodes, by id. What is not well-formed is passed over, as is a node's frame that is not there.
std::map<std::string, Frame> frames_of(const Document& document);
// The frame that a node belongs to; empty for none.
std::string frame_of(const Document& document, const std::string& node);

// --- edits: each returns a new document; frames that are left without nodes go ---

// A new frame around nodes, which leave the ones that they were in. Its id is in *made when that is given. Throws
// Error{InvalidGraph} without nodes, or where one is not there.
Document add_frame(const Document& document, const std::vector<std::string>& nodes, const std::string& title, const std::string& colour = {},
                   std::string* made = nullptr);
// Throw Error{InvalidGraph} where there is no such frame. Fields that this program does not know stay.
Document set_frame_title(const Document& document, const std::string& frame, const std::string& title);
Document set_frame_colour(const Document& document, const std::string& frame, const std::string& colour);
Document put_into_frame(const Document& document, const std::string& node, const std::string& frame);      // empty: into none
// The nodes stay, in no frame.
Document remove_frame(const Document& document, const std::string& frame);
Document without_empty_frames(const Document& document);

// Another id for a frame; throws Error{InvalidGraph} where `to` is taken.
Document rename_frame(const Document& document, const std::string& frame, const std::string& to);

// The frames of `from` added to `to`, which need not hold their nodes yet, under free ids where theirs are taken. The
// result maps ids of `from` to ids of `to`: the `frame` of a node's layout has to follow (with_frame).
Document with_frames_of(const Document& to, const Document& from, std::map<std::string, std::string>* ids);
// The fields of a node's layout with the frame that `ids` has for theirs (that of "" where they have none), or without one.
QJsonObject with_frame(QJsonObject layout, const std::map<std::string, std::string>& ids);

}  // namespace nodes
