// Which pictures of a batch have names, so that an editor can say which one it shows. A node class derives from NamesPictures beside
// Node:
//
//     struct AttentionMaps final : Node, NamesPictures {
//         ...
//         PictureNames picture_names() const override { return {.pictures = {"maps"}, .names = "words"}; }
//     };
#pragma once

#include <string>
#include <vector>

namespace nodes {

struct PictureNames {
    std::vector<std::string> pictures;      // outputs with batches
    std::string names;                      // the output with their names: a text of a line for each picture
};

class NamesPictures {
public:
    virtual ~NamesPictures() = default;
    virtual PictureNames picture_names() const = 0;
};

// Of a node type; empty where it declares none. `Type` is Node: a template so that this header needs nothing.
template <typename Type>
PictureNames picture_names_of(const Type* type) {
    const auto* named = dynamic_cast<const NamesPictures*>(type);
    return named ? named->picture_names() : PictureNames();
}

}  // namespace nodes
