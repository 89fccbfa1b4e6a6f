// The texts that a picture file carries beside its pixels, where Heddle and other tools leave what made it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "nodes/codec/exif.h"

namespace nodes {

bool is_jpeg(std::span<const std::byte> bytes);

// Of PNG the chunks of the usual keywords, of PNG, JPEG and WebP (moving pictures, too) the texts of their EXIF block, of JPEG
// its comments ("Comment"; those of with_jpeg_document() as "heddle"). Damaged parts are left out. Nothing of other formats.
std::vector<PictureText> picture_texts(std::span<const std::byte> bytes);

// The document among them: of the name "heddle", or a description that looks like one. Empty: none.
std::string document_among(const std::vector<PictureText>& texts);

// A JPEG file with a document of any length (ASCII) in its comments, which hold 64 kB each.
std::vector<std::byte> with_jpeg_document(std::span<const std::byte> jpeg, const std::string& document);

}  // namespace nodes
