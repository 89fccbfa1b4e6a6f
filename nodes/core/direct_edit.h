// What a person edits on the picture itself instead of typing it: a node type says which of its parameters make a box, a place, a
// drawing, a pose or a street, and a viewer offers handles for them. A node class derives from DirectlyEdited beside Node:
//
//     struct ImageCrop final : Node, DirectlyEdited {
//         ...
//         std::vector<DirectEdit> direct_edits() const override { return {BoxEdit{.picture = "image"}}; }
//     };
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace nodes {

// A rectangle in pixels of the picture, x to the right and y down from its upper left corner.
struct BoxEdit {
    std::string picture{};  // the input whose picture is under the box; empty: whatever picture is shown
    std::string x = "x", y = "y", width = "width", height = "height";
    // Where this choice has this name the four are shares of the picture's sides.
    std::string unit{}, share{};
    // Where this choice has this name, x and y count from where the box lies in the middle of the picture.
    std::string anchor{}, centred{};
};

// How far the sides of the picture are moved outwards, in pixels.
struct MarginEdit {
    std::string picture{};
    std::string left = "left", top = "top", right = "right", bottom = "bottom";
};

// Strokes of a mask (nodes/types/strokes.h) as text. Without a picture the canvas has the size of two parameters.
struct StrokesEdit {
    std::string picture{};
    std::string strokes = "strokes";
    std::string width = "width", height = "height";
};

// Keypoints as text (parse_pose() in nodes/types/pose.h).
struct PoseEdit {
    std::string keypoints = "text";
    std::string file{};  // a parameter that is read instead of the text where it is set
};

// Boxes and lanes of a street as text (parse_street() in nodes/types/street.h).
struct StreetEdit {
    std::string scene = "scene";
};

// The cameras that look at a street as text (parse_cameras() in nodes/types/camera.h).
struct CamerasEdit {
    std::string cameras = "cameras";
};

// Where another picture lies on this one: its upper left corner, which may be outside. In pixels, as of a box.
struct PlaceEdit {
    std::string picture{};  // the input that is below
    std::string over{};     // the input whose picture is laid over it
    std::string x = "x", y = "y";
};

// The picture moved (pixels), scaled and turned (degrees, clockwise) about its own centre.
struct TransformEdit {
    std::string picture{};
    std::string x = "x", y = "y", scale = "scale", angle = "angle";
};

using DirectEdit = std::variant<BoxEdit, MarginEdit, StrokesEdit, PoseEdit, StreetEdit, CamerasEdit, PlaceEdit, TransformEdit>;

class DirectlyEdited {
public:
    virtual ~DirectlyEdited() = default;
    virtual std::vector<DirectEdit> direct_edits() const = 0;
};

// Of a node type; empty where it declares none. `Type` is Node: a template so that this header needs nothing.
template <typename Type>
std::vector<DirectEdit> direct_edits_of(const Type* type) {
    const auto* edited = dynamic_cast<const DirectlyEdited*>(type);
    return edited ? edited->direct_edits() : std::vector<DirectEdit>();
}

}  // namespace nodes
