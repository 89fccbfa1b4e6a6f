#include "nodes/codec/sheet_labels.h"

#include <algorithm>
#include <optional>

#include "nodes/codec/label_font.h"

namespace nodes {
namespace {

constexpr int most_lines = 4;      // above a column or a picture

int lines_in(const std::vector<std::vector<std::string>>& labels) {
    std::size_t most = 0;
    for (const auto& lines : labels) most = std::max(most, lines.size());
    return static_cast<int>(most);
}

}  // namespace

SheetLayout::SheetLayout(int across, int down, int width, int height, int gap, SheetTexts texts, int letters)
    : across_(across), down_(down), width_(width), height_(height), gap_(gap), letters_(letters > 0 ? letters : std::clamp(std::min(width, height) / 20, 11, 48)) {
    if (texts.empty()) return;
    const LabelFont font(letters_);
    const int line = font.line_height(), space = letters_ / 3;
    const auto wrapped = [&](const std::vector<std::string>& labels, std::size_t most, int room, int lines) {
        std::vector<Lines> all;
        for (std::size_t i = 0; i < std::min(labels.size(), most); ++i) all.push_back(font.wrapped(labels[i], room, lines));
        return all;
    };
    columns_ = wrapped(texts.columns, static_cast<std::size_t>(across), width, most_lines);
    rows_ = wrapped(texts.rows, static_cast<std::size_t>(down), std::max(width, 8 * letters_), std::max(1, height / line));
    captions_ = wrapped(texts.captions, static_cast<std::size_t>(across) * static_cast<std::size_t>(down), width, most_lines);
    if (const int lines = lines_in(columns_)) top_ = lines * line + space;
    if (const int lines = lines_in(captions_)) caption_ = lines * line + space;
    for (const Lines& lines : rows_)
        for (const std::string& text : lines) left_ = std::max(left_, font.width(text) + 2 * space);
}

std::vector<std::uint8_t> SheetLayout::coverage() const {
    if (columns_.empty() && rows_.empty() && captions_.empty()) return {};
    std::vector<std::uint8_t> plane(static_cast<std::size_t>(sheet_width()) * static_cast<std::size_t>(sheet_height()));
    const LabelFont font(letters_);
    const int line = font.line_height(), space = letters_ / 3;
    // Centred at `centre`, the last line just above `bottom`.
    const auto above = [&](const Lines& lines, int centre, int bottom) {
        for (std::size_t i = 0; i < lines.size(); ++i)
            font.draw(lines[i], centre - font.width(lines[i]) / 2, bottom - static_cast<int>(lines.size() - i) * line, plane, sheet_width());
    };
    for (std::size_t i = 0; i < columns_.size(); ++i) above(columns_[i], x(static_cast<int>(i)) + width_ / 2, top_ + gap_ - space / 2);
    for (std::size_t i = 0; i < captions_.size(); ++i) {
        const int column = static_cast<int>(i) % across_, row = static_cast<int>(i) / across_;
        above(captions_[i], x(column) + width_ / 2, y(row) - space / 2);
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) {      // to the right, in the middle of the pictures' height
        const int middle = y(static_cast<int>(i)) + height_ / 2 - static_cast<int>(rows_[i].size()) * line / 2;
        for (std::size_t k = 0; k < rows_[i].size(); ++k)
            font.draw(rows_[i][k], left_ - space - font.width(rows_[i][k]), middle + static_cast<int>(k) * line, plane, sheet_width());
    }
    return plane;
}

}  // namespace nodes
