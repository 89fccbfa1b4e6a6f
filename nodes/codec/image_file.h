// Picture files: PNG, JPEG, TIFF, OpenEXR, WebP and AVIF in both directions, and whatever else OpenImageIO reads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nodes/types/image.h"

namespace nodes {

struct LoadedImage {
    Image image;                          // one picture, upright
    std::vector<std::string> notes;       // what was left out or assumed, for people
};

// Reads a file. Gray stays one channel, gray with alpha becomes RGBA, further channels are left out by name. Whole numbers
// become 0..1, floats stay as they are. The camera's orientation is applied. Alpha comes out straight.
//
// Colour space: `assume`, else what the file says, else linear for floats and sRGB for whole numbers. ICC profiles are
// not applied; a note tells when there was one that is not sRGB.
//
// Throws MissingFile, BadFile (no picture, truncated, too large), OutOfMemory.
LoadedImage read_image(const std::string& path, std::optional<ColorSpace> assume = {});

enum class PixelDepth { Auto, U8, U16, Half, Float };

struct SaveImageOptions {
    PixelDepth depth = PixelDepth::Auto;      // auto: 8 bits, half floats for OpenEXR
    int quality = 95;                         // 1..100, JPEG, WebP and AVIF; WebP at 100 is lossless, AVIF halves the resolution of colour
    Color background{1, 1, 1, 1};             // what shows through where the format has no alpha
    // JSON in ASCII that is stored with the picture: PNG text chunk and OpenEXR attribute "heddle", else the description
    // of TIFF, JPEG, WebP and AVIF; of JPEG from 60 kB on comments (picture_texts.h). Empty: nothing.
    std::string document;
};

// Writes picture `index` of a batch; the suffix says the format. Whole numbers are stored in sRGB, floats linear, raw
// values as they are. PNG 8 and 16 bits, JPEG, WebP and AVIF 8, TIFF 8, 16 and float, OpenEXR half and float (alpha associated,
// as that format wants it). The file appears at once and complete, or not at all.
//
// Returns warnings. Throws Error{InvalidGraph} for a suffix or depth that can not be, Io when the file can not be written.
std::vector<std::string> write_image(const std::string& path, const Image& image, std::int64_t index,
                                     const SaveImageOptions& options = {});

// The file of picture `index` of several: a run of '#' in the name becomes its number, counted from 1, else that stands before
// the suffix.
std::string numbered_path(const std::string& path, std::int64_t index);

// JSON with everything beyond ASCII escaped, as the metadata of files wants it.
std::string ascii_json(const std::string& json);

// The suffixes that write_image takes, "png", "jpg" ...
const std::vector<std::string>& image_suffixes();

// The document that a picture carries (see SaveImageOptions), empty where there is none. Throws as read_image does.
std::string embedded_document(const std::string& path);

}  // namespace nodes
