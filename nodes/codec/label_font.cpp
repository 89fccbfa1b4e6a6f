#include "nodes/codec/label_font.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include <hb-ft.h>

#include <QDirIterator>
#include <QFileInfo>
#include <QStandardPaths>
#include <QString>
#include <QStringList>
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "gpu/base/error.h"

namespace nodes {
namespace {

using gpu::check;
using gpu::ErrorCode;

// Smaller is better: plain sans-serif fonts that are widespread, other upright ones, the rest.
int rank(const QString& file) {
    static const QStringList known{"dejavusans.ttf",     "notosans-regular.ttf", "notosans-regular.otf", "liberationsans-regular.ttf", "segoeui.ttf",
                                   "arial.ttf",          "sfns.ttf",             "helvetica.ttc"};
    const QString name = file.toLower();
    if (const auto at = known.indexOf(name); at >= 0) return static_cast<int>(at);
    int worse = 100;
    for (const char* style : {"bold", "italic", "oblique", "black", "light", "thin", "condensed", "mono", "serif"}) worse += name.contains(QLatin1String(style)) ? 10 : 0;
    return worse + (name.contains("sans") ? 0 : 1);
}

// The outline fonts of the system, the best one first.
const std::vector<std::string>& font_files() {
    static const std::vector<std::string> files = [] {
        std::vector<std::pair<int, std::string>> found;
        for (const QString& folder : QStandardPaths::standardLocations(QStandardPaths::FontsLocation))
            for (QDirIterator at(folder, {"*.ttf", "*.otf", "*.ttc"}, QDir::Files, QDirIterator::Subdirectories); at.hasNext();) {
                const QString path = at.next();
                found.emplace_back(rank(QFileInfo(path).fileName()), path.toStdString());
            }
        std::ranges::sort(found);
        std::vector<std::string> paths;
        for (auto& [order, path] : found) paths.push_back(std::move(path));
        return paths;
    }();
    return files;
}

struct Face {
    FT_Face face = nullptr;
    std::unique_ptr<hb_font_t, decltype(&hb_font_destroy)> shaper{nullptr, hb_font_destroy};

    Face(FT_Library library, const std::string& path, int size) {
        // Pictures of emoji have no outlines and can not be scaled.
        if (FT_New_Face(library, path.c_str(), 0, &face) != 0 || !FT_IS_SCALABLE(face) || FT_Set_Pixel_Sizes(face, 0, static_cast<FT_UInt>(size)) != 0) return;
        shaper.reset(hb_ft_font_create_referenced(face));
        hb_ft_font_set_load_flags(shaper.get(), FT_LOAD_NO_HINTING);
    }
    ~Face() {
        shaper.reset();
        if (face) FT_Done_Face(face);
    }
    Face(const Face&) = delete;
    bool works() const { return shaper != nullptr; }
    bool has(char32_t letter) const { return FT_Get_Char_Index(face, letter) != 0; }
};

std::u32string letters_of(std::string_view utf8) {
    const QList<uint> points = QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size())).toUcs4();
    std::u32string letters;
    for (const uint point : points) letters.push_back(point < 32 ? U' ' : static_cast<char32_t>(point));
    return letters;
}

// Which letters run from right to left, blanks and the like between such letters included. Runs stay in the order of the text: labels need no
// more of Unicode's bidirectional algorithm (UAX 9).
std::vector<bool> runs_leftwards(std::u32string_view letters) {
    std::vector<bool> leftwards(letters.size());
    std::size_t after = letters.size();      // the end of a word that runs so
    for (std::size_t i = 0; i < letters.size(); ++i) {
        const QChar::Direction direction = QChar::direction(letters[i]);
        if (direction == QChar::DirR || direction == QChar::DirAL) {
            for (std::size_t k = after; k < i; ++k) leftwards[k] = true;
            leftwards[i] = true;
            after = i + 1;
        } else if (direction == QChar::DirL || direction == QChar::DirEN || direction == QChar::DirAN) {
            after = letters.size();
        }
    }
    return leftwards;
}

std::string utf8_of(std::u32string_view letters) { return QString::fromUcs4(letters.data(), static_cast<qsizetype>(letters.size())).toStdString(); }

}  // namespace

struct LabelFont::Faces {
    FT_Library library = nullptr;
    std::vector<std::unique_ptr<Face>> open;      // the first is the font of all letters that it has
    std::map<char32_t, Face*> others;             // of letters that it has not

    ~Faces() {
        open.clear();
        if (library) FT_Done_FreeType(library);
    }

    Face* open_one(const std::string& path, int size) {
        auto face = std::make_unique<Face>(library, path, size);
        if (!face->works()) return nullptr;
        open.push_back(std::move(face));
        return open.back().get();
    }

    Face& face_of(char32_t letter) {
        Face& first = *open.front();
        if (letter == U' ' || first.has(letter)) return first;
        if (const auto at = others.find(letter); at != others.end()) return *at->second;
        const auto size = first.face->size->metrics.y_ppem;
        for (const auto& face : open)
            if (face->has(letter)) return *(others[letter] = face.get());
        for (const std::string& path : font_files()) {
            Face face(library, path, size);
            if (face.works() && face.has(letter))
                if (Face* kept = open_one(path, size)) return *(others[letter] = kept);
        }
        return *(others[letter] = &first);         // its box for what is missing
    }

    // Calls visit(face, glyph, x, y) for each glyph, x in pixels from the line's start, y upwards from its base, and returns the width.
    template <typename Visit>
    double shape(std::u32string_view letters, Visit&& visit) {
        double x = 0;
        const std::vector<bool> leftwards = runs_leftwards(letters);
        for (std::size_t from = 0; from < letters.size();) {
            Face& face = face_of(letters[from]);
            std::size_t to = from + 1;
            while (to < letters.size() && &face_of(letters[to]) == &face && leftwards[to] == leftwards[from]) ++to;
            const std::unique_ptr<hb_buffer_t, decltype(&hb_buffer_destroy)> buffer(hb_buffer_create(), hb_buffer_destroy);
            hb_buffer_add_utf32(buffer.get(), reinterpret_cast<const std::uint32_t*>(letters.data()), static_cast<int>(letters.size()), static_cast<unsigned>(from),
                                static_cast<int>(to - from));
            hb_buffer_guess_segment_properties(buffer.get());
            hb_buffer_set_direction(buffer.get(), leftwards[from] ? HB_DIRECTION_RTL : HB_DIRECTION_LTR);
            hb_shape(face.shaper.get(), buffer.get(), nullptr, 0);
            unsigned count = 0;
            const hb_glyph_info_t* glyphs = hb_buffer_get_glyph_infos(buffer.get(), &count);
            const hb_glyph_position_t* at = hb_buffer_get_glyph_positions(buffer.get(), &count);
            for (unsigned i = 0; i < count; ++i) {
                visit(face, glyphs[i].codepoint, x + at[i].x_offset / 64.0, at[i].y_offset / 64.0);
                x += at[i].x_advance / 64.0;
            }
            from = to;
        }
        return x;
    }
};

LabelFont::LabelFont(int size) : faces_(std::make_unique<Faces>()) {
    check(FT_Init_FreeType(&faces_->library) == 0, ErrorCode::Failure, "draw text: FreeType does not start");
    for (const std::string& path : font_files())
        if (faces_->open_one(path, size)) return;
    const QStringList folders = QStandardPaths::standardLocations(QStandardPaths::FontsLocation);
    throw gpu::Error(ErrorCode::MissingFile, "draw text: expected a TrueType or OpenType font, there is none in {} (Debian: fonts-dejavu-core)", folders.join(", ").toStdString());
}

LabelFont::~LabelFont() = default;

int LabelFont::line_height() const {
    const FT_Size_Metrics& metrics = faces_->open.front()->face->size->metrics;
    return static_cast<int>((metrics.ascender - metrics.descender + 63) / 64);
}

int LabelFont::width(std::string_view utf8) const {
    return static_cast<int>(std::ceil(faces_->shape(letters_of(utf8), [](const Face&, unsigned, double, double) {})));
}

std::vector<std::string> LabelFont::wrapped(std::string_view utf8, int width, int most) const {
    const auto fits = [&](const std::u32string& line) { return faces_->shape(line, [](const Face&, unsigned, double, double) {}) <= width; };
    std::vector<std::u32string> lines;
    const auto enough = [&] { return static_cast<int>(lines.size()) > most; };
    for (const QString& part : QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size())).split('\n')) {
        std::u32string line;
        const auto next = [&] { lines.push_back(std::exchange(line, {})); };
        for (const QString& word : part.simplified().split(' ')) {
            if (enough()) break;
            const std::u32string letters = letters_of(word.toStdString());
            if (const std::u32string longer = line.empty() ? letters : line + U' ' + letters; fits(longer)) {
                line = longer;
                continue;
            }
            if (!line.empty()) next();
            for (const char32_t letter : letters) {
                if (enough()) break;
                if (!line.empty() && !fits(line + letter)) next();
                line += letter;
            }
        }
        next();
    }
    if (enough()) {
        lines.resize(static_cast<std::size_t>(most));
        while (!lines.back().empty() && !fits(lines.back() + U"...")) lines.back().pop_back();
        lines.back() += U"...";
    }
    std::vector<std::string> texts;
    for (const std::u32string& line : lines) texts.push_back(utf8_of(line));
    return texts;
}

void LabelFont::draw(std::string_view utf8, int x, int y, std::vector<std::uint8_t>& coverage, int stride) const {
    const int rows = static_cast<int>(coverage.size()) / stride, base = y + static_cast<int>((faces_->open.front()->face->size->metrics.ascender + 63) / 64);
    faces_->shape(letters_of(utf8), [&](const Face& face, unsigned glyph, double at, double up) {
        const FT_Vector shift{static_cast<FT_Pos>(std::lround(at * 64)) & 63, 0};
        FT_Set_Transform(face.face, nullptr, const_cast<FT_Vector*>(&shift));
        const bool drawn = FT_Load_Glyph(face.face, glyph, FT_LOAD_NO_HINTING | FT_LOAD_RENDER) == 0;
        FT_Set_Transform(face.face, nullptr, nullptr);
        if (!drawn) return;
        const FT_GlyphSlot slot = face.face->glyph;
        const FT_Bitmap& bitmap = slot->bitmap;
        const int left = x + static_cast<int>(std::lround(at * 64) >> 6) + slot->bitmap_left, top = base - static_cast<int>(std::lround(up)) - slot->bitmap_top;
        for (int v = 0; v < static_cast<int>(bitmap.rows); ++v)
            for (int u = 0; u < static_cast<int>(bitmap.width); ++u) {
                if (left + u < 0 || left + u >= stride || top + v < 0 || top + v >= rows) continue;
                std::uint8_t& to = coverage[static_cast<std::size_t>(top + v) * static_cast<std::size_t>(stride) + static_cast<std::size_t>(left + u)];
                to = std::max(to, bitmap.buffer[static_cast<std::ptrdiff_t>(v) * bitmap.pitch + u]);
            }
    });
}

}  // namespace nodes
