// What is written on a contact sheet: above its columns, beside its rows, and above each picture.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nodes {

struct SheetTexts {
    std::vector<std::string> columns, rows;      // a text each
    std::vector<std::string> captions;           // a text for each picture, row by row
    bool empty() const { return columns.empty() && rows.empty() && captions.empty(); }
};

// Where pictures of one size stand on a sheet, and the labels between them.
class SheetLayout {
public:
    // `letters`: pixels an em, 0 for what suits the pictures' size. Texts are wrapped, and cut where they would take more room than a picture.
    // Throws MissingFile where there are texts and the system has no font.
    SheetLayout(int across, int down, int width, int height, int gap, SheetTexts texts = {}, int letters = 0);

    int sheet_width() const { return left_ + across_ * (width_ + gap_) + gap_; }
    int sheet_height() const { return top_ + down_ * (caption_ + height_ + gap_) + gap_; }
    int x(int column) const { return left_ + gap_ + column * (width_ + gap_); }
    int y(int row) const { return top_ + gap_ + row * (caption_ + height_ + gap_) + caption_; }
    // Room for labels: left of all, above all, above each picture.
    int left() const { return left_; }
    int top() const { return top_; }
    int caption() const { return caption_; }

    // The letters on the whole sheet, 0..255; empty where there are none.
    std::vector<std::uint8_t> coverage() const;

private:
    using Lines = std::vector<std::string>;
    int across_, down_, width_, height_, gap_, letters_;
    int left_ = 0, top_ = 0, caption_ = 0;
    std::vector<Lines> columns_, rows_, captions_;
};

}  // namespace nodes
