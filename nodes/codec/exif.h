// The texts of an EXIF block, which other tools put workflows and prompts into, and a block that holds one text.
//
// EXIF 2.32, sections 4.5 and 4.6: a TIFF directory ("IFD0") and below it one of the camera's, each a list of tags.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace nodes {

struct PictureText {
    std::string name;      // "Make", "UserComment", a PNG keyword; of other tags "0x9c9c"
    std::string text;      // UTF-8, as far as the file is right
};

// `block` begins with the byte order, "II" or "MM". What is damaged or lies outside is left out; at most 64 MB of texts.
std::vector<PictureText> exif_texts(std::span<const std::byte> block);

// A block with `text` as the description of the picture (ImageDescription).
std::vector<std::byte> exif_with_description(const std::string& text);

}  // namespace nodes
