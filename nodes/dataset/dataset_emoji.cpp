#include "nodes/codec/emoji_font.h"
#include "nodes/core/node.h"
#include "nodes/types/dataset.h"

namespace nodes {
namespace {

struct DatasetEmoji final : Node {
    DatasetEmoji() : Node({.id = "dataset.emoji", .version = 1, .title = "Emoji", .category = "Dataset",
                           .help = "Pictures of a colour emoji font, with the names that Unicode gives them as captions. Debian installs such a font as fonts-noto-color-emoji, "
                                   "and the list of names as unicode-data."}) {}

    Param<FilePath> font {this, "font", "A font with colour bitmaps; empty: the installed Noto Color Emoji", {.filter = "Fonts (*.ttf *.otf)", .required = false}};
    Param<FilePath> names{this, "names", "Unicode's emoji-test.txt; empty: the installed one", {.filter = "Text (*.txt)", .required = false}};
    Param<bool>     tones{this, "skin_tones", "Take the variants with skin tones too", {.initial = false}};
    Param<bool>     flags{this, "flags", "Take the flags of countries and regions too", {.initial = false}};
    Param<bool>     genders{this, "genders", "Take the variants that are told apart by \"man\" and \"woman\" too", {.initial = true}};
    Out<Dataset>    dataset{this, "dataset", "Pictures with names"};

    void compute(Eval& ev) const override {
        const std::string font_path = ev[font].empty() ? installed_emoji_font() : ev[font].path, list = ev[names].empty() ? installed_emoji_test() : ev[names].path;
        if (font_path.empty()) ev.fail(font, gpu::ErrorCode::MissingFile, "expected an installed emoji font, got none: Debian's package fonts-noto-color-emoji has one");
        if (list.empty()) ev.fail(names, gpu::ErrorCode::MissingFile, "expected Unicode's emoji-test.txt, got none: Debian's package unicode-data has it");
        const EmojiFont drawn(font_path);
        std::vector<std::string> captions;
        std::vector<std::shared_ptr<const Pixels>> pictures;
        const std::vector<EmojiEntry> entries = read_emoji_test(list);
        std::int64_t unknown = 0;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const EmojiEntry& entry = entries[i];
            if (!ev[tones] && entry.name.find("skin tone") != std::string::npos) continue;
            if (!ev[flags] && (entry.subgroup == "country-flag" || entry.subgroup == "subdivision-flag")) continue;
            if (!ev[genders] && (entry.name.starts_with("man ") || entry.name.starts_with("woman ")) && entry.text.size() > 1) continue;
            if (std::optional<Pixels> picture = drawn.draw(entry.text)) {
                captions.push_back(entry.name);
                pictures.push_back(std::make_shared<Pixels>(std::move(*picture)));
            } else {
                ++unknown;
            }
            if (i % 16 == 0) ev.progress(static_cast<std::int64_t>(i), static_cast<std::int64_t>(entries.size()));
        }
        if (unknown > 0) ev.warn("{} emoji of the list have no picture in {}", unknown, font_path);
        Dataset made{.source = memory_source(std::move(captions), std::move(pictures)), .items = {}};
        for (std::int64_t i = 0; i < made.source->size(); ++i) made.items.push_back(i);
        ev.set(dataset, made);
    }
};

}  // namespace

REGISTER_NODE(dataset_emoji, DatasetEmoji)

}  // namespace nodes
