// Pictures of emoji from a colour bitmap font such as Noto Color Emoji, and Unicode's list of what they are called.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nodes/types/pixels.h"

namespace nodes {

// FreeType reads the bitmaps; HarfBuzz turns sequences (flags, skin tones, families) into the font's own pictures of them.
// Not thread-safe.
class EmojiFont {
public:
    // Throws MissingFile, BadFile for a file that is no font with colour bitmaps.
    explicit EmojiFont(const std::string& path);
    ~EmojiFont();
    // Nothing where the font has no single picture of the text.
    std::optional<Pixels> draw(const std::u32string& text) const;

private:
    struct Handles;
    std::unique_ptr<Handles> handles_;
};

// A line of Unicode's emoji-test.txt (UTS 51).
struct EmojiEntry {
    std::u32string text;
    std::string name;                  // "grinning face with smiling eyes"
    std::string group, subgroup;       // "Smileys & Emotion", "face-smiling"
};

// The fully qualified entries in the file's order. Throws MissingFile, BadFile.
std::vector<EmojiEntry> read_emoji_test(const std::string& path);

// The files that Debian's fonts-noto-color-emoji and unicode-data install, or an empty text where they are not.
std::string installed_emoji_font();
std::string installed_emoji_test();

}  // namespace nodes
