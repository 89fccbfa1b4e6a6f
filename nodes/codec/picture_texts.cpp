#include "nodes/codec/picture_texts.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "gpu/base/format.h"
#include "nodes/codec/png.h"
#include "nodes/codec/webp.h"

namespace nodes {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t comment_room = 65000;      // of the 65533 bytes of a segment

std::string_view view(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::size_t big_endian(Bytes bytes, std::size_t at, std::size_t size) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | std::to_integer<std::size_t>(bytes[at + i]);
    return value;
}

std::size_t little_endian(Bytes bytes, std::size_t at, std::size_t size) {
    std::size_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | std::to_integer<std::size_t>(bytes[at + i]);
    return value;
}

void add(std::vector<PictureText>& texts, std::vector<PictureText> more) {
    for (PictureText& text : more) texts.push_back(std::move(text));
}

// Some writers put JPEG's "Exif\0\0" in front everywhere.
std::vector<PictureText> exif_of(Bytes block) {
    constexpr std::string_view mark("Exif\0\0", 6);
    return exif_texts(view(block).starts_with(mark) ? block.subspan(mark.size()) : block);
}

// --- JPEG: marker segments, up to the pixels ---

// Calls each(marker, content, where the segment begins); returns where the first byte that is no segment is.
template <typename Each>
std::size_t for_segments(Bytes jpeg, Each each) {
    std::size_t at = 2;
    while (at + 4 <= jpeg.size() && jpeg[at] == std::byte{0xff}) {
        const auto marker = std::to_integer<unsigned>(jpeg[at + 1]);
        if (marker == 0xff) {      // a fill byte
            ++at;
            continue;
        }
        const std::size_t length = big_endian(jpeg, at + 2, 2);
        if (marker == 0xda || marker == 0xd9 || length < 2 || length > jpeg.size() - at - 2) break;
        each(marker, jpeg.subspan(at + 4, length - 2), at);
        at += 2 + length;
    }
    return at;
}

// "heddle 2/3\n" before a part; nothing where it is another comment.
std::string_view document_part(std::string_view comment) {
    const std::size_t end = comment.find('\n');
    if (!comment.starts_with("heddle ") || end == std::string_view::npos || end > 40) return {};
    return comment.substr(end + 1);
}

std::vector<PictureText> jpeg_texts(Bytes jpeg) {
    std::vector<PictureText> texts;
    std::string document;
    for_segments(jpeg, [&](unsigned marker, Bytes content, std::size_t) {
        if (marker == 0xe1 && view(content).starts_with("Exif")) add(texts, exif_of(content));
        if (marker != 0xfe) return;
        if (const std::string_view part = document_part(view(content)); !part.empty())
            document += part;
        else
            texts.push_back({"Comment", std::string(view(content))});
    });
    if (!document.empty()) texts.push_back({"heddle", std::move(document)});
    return texts;
}

// --- WebP and PNG: chunks ---

std::vector<PictureText> webp_texts(Bytes webp) {
    for (std::size_t at = 12; at + 8 <= webp.size();) {
        const std::size_t size = little_endian(webp, at + 4, 4);
        if (size > webp.size() - at - 8) break;
        if (view(webp.subspan(at, 4)) == "EXIF") return exif_of(webp.subspan(at + 8, size));
        at += 8 + size + size % 2;
    }
    return {};
}

std::vector<PictureText> png_texts(Bytes png) {
    std::vector<PictureText> texts;
    for (const char* keyword : {"heddle", "workflow", "prompt", "parameters"})
        if (std::string text = png_text(png, keyword); !text.empty()) texts.push_back({keyword, std::move(text)});
    for (std::size_t at = 8; at + 12 <= png.size();) {
        const std::size_t size = big_endian(png, at, 4);
        if (size > png.size() - at - 12) break;
        if (view(png.subspan(at + 4, 4)) == "eXIf") add(texts, exif_of(png.subspan(at + 8, size)));
        at += 12 + size;
    }
    return texts;
}

}  // namespace

bool is_jpeg(Bytes bytes) { return view(bytes).starts_with("\xff\xd8\xff"); }

std::vector<PictureText> picture_texts(Bytes bytes) {
    if (is_png(bytes)) return png_texts(bytes);
    if (is_jpeg(bytes)) return jpeg_texts(bytes);
    if (is_webp(bytes)) return webp_texts(bytes);
    return {};
}

std::string document_among(const std::vector<PictureText>& texts) {
    for (const PictureText& text : texts)
        if (text.name == "heddle" || (text.name == "ImageDescription" && text.text.starts_with('{') && text.text.find("\"heddle\"") != std::string::npos))
            return text.text;
    return {};
}

std::vector<std::byte> with_jpeg_document(Bytes jpeg, const std::string& document) {
    std::size_t place = 2;      // behind what belongs to the start: JFIF, EXIF, profiles
    for_segments(jpeg, [&](unsigned marker, Bytes content, std::size_t at) {
        if (marker >= 0xe0 && marker <= 0xef) place = at + 4 + content.size();
    });
    std::vector<std::byte> made(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(place));
    const std::size_t parts = (document.size() + comment_room - 1) / comment_room;
    for (std::size_t part = 0; part < parts; ++part) {
        const std::string text = gpu::format("heddle {}/{}\n", part + 1, parts) + document.substr(part * comment_room, comment_room);
        const std::size_t length = text.size() + 2;
        for (const std::size_t value : {std::size_t{0xff}, std::size_t{0xfe}, length >> 8, length & 0xff}) made.push_back(static_cast<std::byte>(value));
        for (const char c : text) made.push_back(static_cast<std::byte>(c));
    }
    made.insert(made.end(), jpeg.begin() + static_cast<std::ptrdiff_t>(place), jpeg.end());
    return made;
}

}  // namespace nodes
