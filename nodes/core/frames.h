// Frames: titled, coloured areas of the canvas that own nodes, and other frames.
//
// What a frame is stands in the document's field "frames", {ID: {"title", "colour", "frame": ID of the one around it, "width", "height"}};
// which one a node belongs to in the node's layout, {"x", "y", "frame": ID}. So a node has one frame at most, members that
// go are members no more, and two people may each put a node into one frame without a conflict. A frame is as large as
// what is in it, or as "width" and "height" say where that is more, to the right and down: it has no place of its own, and one
// without nodes, its own or those of frames in it, is not there.
// Every level (subgraph) has its own frames.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "nodes/core/document.h"

namespace nodes {

struct Frame {
    std::string title{};
    std::string colour{};              // "#4d93e6"; empty: none of its own
    std::vector<std::string> nodes{};  // its own, without those of frames in it; sorted
    std::string around{};              // the frame that it is in; empty for none
    double width = 0, height = 0;      // at least; 0: as large as what is in it

    friend bool operator==(const Frame&, const Frame&) = default;
};

using Frames = std::map<std::string, Frame>;

// The frames that have nodes, by id. What is not well-formed is passed over, as is a node's frame that is not there. Frames
// that are in one another by a circle (two people may have done a half of it each) are in none.
Frames frames_of(const Document& document);
// The frame that a node belongs to, the innermost; empty for none.
std::string frame_of(const Document& document, const std::string& node);

// --- reading a nest; an id that is not there has nothing ---
std::vector<std::string> nodes_within(const Frames& frames, const std::string& frame);      // at any depth, sorted
bool is_within(const Frames& frames, const std::string& frame, const std::string& outer);   // at any depth; not in itself
int frame_depth(const Frames& frames, const std::string& frame);                            // 0: in no other
// The frames all of whose nodes are among these.
std::set<std::string> whole_frames(const Frames& frames, const std::set<std::string>& nodes);

// --- edits: each returns a new document; frames that are left without nodes go ---

// A new frame around nodes: it lies in the frame that they all lie in, and frames that it holds whole lie in it. Other nodes
// leave the frames that they were in. Its id is in *made when that is given. Throws Error{InvalidGraph} without nodes, or
// where one is not there.
Document add_frame(const Document& document, const std::vector<std::string>& nodes, const std::string& title, const std::string& colour = {},
                   std::string* made = nullptr);
// Throw Error{InvalidGraph} where there is no such frame. Fields that this program does not know stay.
Document set_frame_title(const Document& document, const std::string& frame, const std::string& title);
Document set_frame_colour(const Document& document, const std::string& frame, const std::string& colour);
// At least so large; 0: as what is in it. Whole numbers are kept.
Document set_frame_size(const Document& document, const std::string& frame, double width, double height);
Document put_into_frame(const Document& document, const std::string& node, const std::string& frame);      // empty: into none
// The same of a frame with all that is in it; throws where `around` is the frame itself or in it.
Document nest_frame(const Document& document, const std::string& frame, const std::string& around);
// What is in it stays, in the frame that it was in itself.
Document remove_frame(const Document& document, const std::string& frame);
Document without_empty_frames(const Document& document);
// A part of a document: frames of which it lacks nodes that `whole` has are none.
Document with_whole_frames(const Document& part, const Document& whole);

// Another id for a frame; throws Error{InvalidGraph} where `to` is taken.
Document rename_frame(const Document& document, const std::string& frame, const std::string& to);

// The frames of `from` added to `to`, which need not hold their nodes yet, under free ids where theirs are taken. `ids` says
// which frames of `to` those are that `from` only names ("": what has none), and maps all ids of `from` to those of `to`
// afterwards: the `frame` of a node's layout has to follow (with_frame).
Document with_frames_of(const Document& to, const Document& from, std::map<std::string, std::string>* ids);
// The fields of a node's layout with the frame that `ids` has for theirs (that of "" where they have none), or without one.
QJsonObject with_frame(QJsonObject layout, const std::map<std::string, std::string>& ids);

}  // namespace nodes
