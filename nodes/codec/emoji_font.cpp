#include "nodes/codec/emoji_font.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include <hb-ft.h>

#include <charconv>
#include <filesystem>
#include <fstream>

#include "gpu/base/error.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;

std::string first_that_exists(std::initializer_list<const char*> paths) {
    for (const char* path : paths)
        if (std::error_code error; std::filesystem::exists(path, error)) return path;
    return {};
}

// Premultiplied BGRA of a bitmap strike to straight RGBA.
Pixels straight(const FT_Bitmap& bitmap) {
    Pixels pixels{static_cast<int>(bitmap.width), static_cast<int>(bitmap.rows), {}};
    pixels.rgba.reserve(std::size_t{4} * bitmap.width * bitmap.rows);
    for (unsigned y = 0; y < bitmap.rows; ++y) {
        const unsigned char* at = bitmap.buffer + static_cast<std::ptrdiff_t>(y) * bitmap.pitch;
        for (unsigned x = 0; x < bitmap.width; ++x, at += 4) {
            const int alpha = at[3];
            for (const int channel : {2, 1, 0})
                pixels.rgba.push_back(static_cast<std::uint8_t>(alpha == 0 ? 0 : std::min(255, (at[channel] * 255 + alpha / 2) / alpha)));
            pixels.rgba.push_back(static_cast<std::uint8_t>(alpha));
        }
    }
    return pixels;
}

}  // namespace

struct EmojiFont::Handles {
    FT_Library library = nullptr;
    FT_Face face = nullptr;
    hb_font_t* shaper = nullptr;

    ~Handles() {
        if (shaper) hb_font_destroy(shaper);
        if (face) FT_Done_Face(face);
        if (library) FT_Done_FreeType(library);
    }
};

EmojiFont::EmojiFont(const std::string& path) : handles_(std::make_unique<Handles>()) {
    check(std::filesystem::exists(path), ErrorCode::MissingFile, "read emoji font: expected a file, there is no {}", path);
    Handles& h = *handles_;
    check(FT_Init_FreeType(&h.library) == 0, ErrorCode::Failure, "read emoji font: FreeType does not start");
    check(FT_New_Face(h.library, path.c_str(), 0, &h.face) == 0 && FT_HAS_COLOR(h.face) && h.face->num_fixed_sizes > 0 && FT_Select_Size(h.face, 0) == 0,
          ErrorCode::BadFile, "read emoji font: expected a font with colour bitmaps, such as Noto Color Emoji, got {}", path);
    h.shaper = hb_ft_font_create_referenced(h.face);
}

EmojiFont::~EmojiFont() = default;

std::optional<Pixels> EmojiFont::draw(const std::u32string& text) const {
    const std::unique_ptr<hb_buffer_t, decltype(&hb_buffer_destroy)> buffer(hb_buffer_create(), hb_buffer_destroy);
    hb_buffer_add_utf32(buffer.get(), reinterpret_cast<const std::uint32_t*>(text.data()), static_cast<int>(text.size()), 0, -1);
    hb_buffer_guess_segment_properties(buffer.get());
    hb_buffer_set_flags(buffer.get(), HB_BUFFER_FLAG_REMOVE_DEFAULT_IGNORABLES);
    hb_shape(handles_->shaper, buffer.get(), nullptr, 0);
    unsigned count = 0;
    const hb_glyph_info_t* glyphs = hb_buffer_get_glyph_infos(buffer.get(), &count);
    if (count != 1 || glyphs[0].codepoint == 0) return std::nullopt;      // 0: the font does not know it
    if (FT_Load_Glyph(handles_->face, glyphs[0].codepoint, FT_LOAD_COLOR) != 0) return std::nullopt;
    const FT_Bitmap& bitmap = handles_->face->glyph->bitmap;
    if (bitmap.pixel_mode != FT_PIXEL_MODE_BGRA || bitmap.width == 0 || bitmap.rows == 0) return std::nullopt;
    return straight(bitmap);
}

std::vector<EmojiEntry> read_emoji_test(const std::string& path) {
    std::ifstream file(path);
    check(file.good(), ErrorCode::MissingFile, "read emoji names: expected a file, there is no {}", path);
    std::vector<EmojiEntry> entries;
    std::string group, subgroup;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("# group: ")) group = line.substr(9);
        if (line.starts_with("# subgroup: ")) subgroup = line.substr(12);
        // "1F600 ; fully-qualified # (the emoji) E1.0 grinning face"
        const std::size_t semicolon = line.find(';'), hash = line.find("# ", semicolon);
        if (line.starts_with("#") || hash == std::string::npos || line.find("; fully-qualified") == std::string::npos) continue;
        EmojiEntry entry{.text = {}, .name = {}, .group = group, .subgroup = subgroup};
        for (const char *at = line.data(), *end = at + semicolon; at < end;) {
            if (*at == ' ') {
                ++at;
                continue;
            }
            std::uint32_t code = 0;
            const auto [next, status] = std::from_chars(at, end, code, 16);
            check(status == std::errc() && code <= 0x10ffff, ErrorCode::BadFile, "{}: expected code points, got \"{}\"", path, line);
            entry.text.push_back(static_cast<char32_t>(code));
            at = next;
        }
        const std::size_t version = line.find(" E", hash), name = version == std::string::npos ? version : line.find(' ', version + 1);
        check(name != std::string::npos && !entry.text.empty(), ErrorCode::BadFile, "{}: expected code points, a version and a name, got \"{}\"", path, line);
        entry.name = line.substr(name + 1);
        entries.push_back(std::move(entry));
    }
    check(!entries.empty(), ErrorCode::BadFile, "{}: expected lines of emoji-test.txt, got none that is fully qualified", path);
    return entries;
}

std::string installed_emoji_font() {
    return first_that_exists({"/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf", "/usr/share/fonts/noto/NotoColorEmoji.ttf",
                              "/usr/share/fonts/google-noto-emoji/NotoColorEmoji.ttf"});
}

std::string installed_emoji_test() { return first_that_exists({"/usr/share/unicode/emoji/emoji-test.txt"}); }

}  // namespace nodes
