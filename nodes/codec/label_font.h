// Lines of text as coverage, for labels on pictures. No display and no window system: FreeType draws, HarfBuzz shapes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nodes {

// The sans-serif font of the system, letters that it lacks from whichever other font has them. Fonts are looked for when the first
// one is made, nothing is done before. Not thread-safe.
class LabelFont {
public:
    // `size`: pixels an em. Throws MissingFile where the system has no font.
    explicit LabelFont(int size);
    ~LabelFont();

    int line_height() const;
    int width(std::string_view utf8) const;

    // The text in lines no wider than `width`, broken at line breaks and spaces, inside of words where one alone is too wide. What does not fit
    // into `most` lines is left out behind "...".
    std::vector<std::string> wrapped(std::string_view utf8, int width, int most) const;

    // Draws a line into `coverage`, 0..255, a plane `stride` pixels wide of whole rows; what lies outside is cut off. (x, y) is the line's upper left corner.
    void draw(std::string_view utf8, int x, int y, std::vector<std::uint8_t>& coverage, int stride) const;

private:
    struct Faces;
    std::unique_ptr<Faces> faces_;
};

}  // namespace nodes
