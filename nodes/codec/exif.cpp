#include "nodes/codec/exif.h"

#include <QByteArray>
#include <QString>
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "gpu/base/format.h"

namespace nodes {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t most_text = 64 << 20;
constexpr std::uint32_t camera_directory = 0x8769, user_comment = 0x9286, description = 0x010e;
enum Type : std::uint32_t { Byte = 1, Ascii = 2, Undefined = 7 };

// Windows' own tags: UTF-16 with the low byte first, in lists of bytes.
bool is_windows_text(std::uint32_t tag) { return tag >= 0x9c9b && tag <= 0x9c9f; }

std::string name_of(std::uint32_t tag) {
    switch (tag) {
        case 0x010d: return "DocumentName";
        case description: return "ImageDescription";
        case 0x010f: return "Make";
        case 0x0110: return "Model";
        case 0x0131: return "Software";
        case 0x013b: return "Artist";
        case 0x8298: return "Copyright";
        case user_comment: return "UserComment";
    }
    return "0x" + QString::number(tag, 16).toStdString();
}

std::string from_utf16(Bytes bytes, bool big) {
    QString text;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
        const auto first = std::to_integer<unsigned>(bytes[i]), second = std::to_integer<unsigned>(bytes[i + 1]);
        text += QChar(static_cast<char16_t>(big ? first << 8 | second : second << 8 | first));
    }
    while (text.endsWith(QChar(u'\0'))) text.chop(1);
    return text.toStdString();
}

// Writers disagree on the order: a mark tells, else the side on which most zeros are, as texts are mostly Latin.
bool is_big_endian(Bytes bytes, bool block_is_big) {
    if (bytes.size() >= 2 && bytes[0] == std::byte{0xfe} && bytes[1] == std::byte{0xff}) return true;
    if (bytes.size() >= 2 && bytes[0] == std::byte{0xff} && bytes[1] == std::byte{0xfe}) return false;
    std::int64_t lead = 0;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) lead += (bytes[i] == std::byte{0}) - (bytes[i + 1] == std::byte{0});
    return lead == 0 ? block_is_big : lead > 0;
}

std::string plain(Bytes bytes) {
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    text.erase(std::find(text.begin(), text.end(), '\0'), text.end());
    return text;
}

// Eight letters name the code of what follows; some writers leave them out.
std::string comment(Bytes bytes, bool block_is_big) {
    const auto starts = [&](std::string_view code) {
        return bytes.size() >= 8 && std::string_view(reinterpret_cast<const char*>(bytes.data()), 8) == code;
    };
    if (starts({"UNICODE\0", 8})) {
        bytes = bytes.subspan(8);
        const bool big = is_big_endian(bytes, block_is_big);
        std::string text = from_utf16(bytes, big);
        constexpr std::string_view mark = "\xef\xbb\xbf";
        return text.starts_with(mark) ? text.substr(mark.size()) : text;
    }
    if (starts({"ASCII\0\0\0", 8}) || starts({"\0\0\0\0\0\0\0\0", 8})) bytes = bytes.subspan(8);
    return plain(bytes);
}

class Reader {
public:
    explicit Reader(Bytes block) : block_(block) {
        if (block.size() < 8) return;
        big_ = block[0] == std::byte{'M'};
        if (number(2, 2) != 42) return;
        read_directory(number(4, 4), true);
    }

    std::vector<PictureText> take() { return std::move(texts_); }

private:
    // 0 where it lies outside.
    std::uint32_t number(std::size_t at, std::size_t size) const {
        std::uint32_t value = 0;
        if (at > block_.size() || block_.size() - at < size) return 0;
        for (std::size_t i = 0; i < size; ++i) value = value << 8 | std::to_integer<std::uint32_t>(block_[at + (big_ ? i : size - 1 - i)]);
        return value;
    }

    void read_directory(std::size_t at, bool outer) {
        const std::uint32_t count = number(at, 2);
        for (std::uint32_t i = 0; i < count && at + 2 + 12 * (std::size_t{i} + 1) <= block_.size(); ++i) read_entry(at + 2 + 12 * i, outer);
    }

    void read_entry(std::size_t at, bool outer) {
        const std::uint32_t tag = number(at, 2), type = number(at + 2, 2);
        const std::size_t size = number(at + 4, 4);
        if (tag == camera_directory && outer) return read_directory(number(at + 8, 4), false);
        if (type != Ascii && !(type == Undefined && tag == user_comment) && !(type == Byte && is_windows_text(tag))) return;
        const std::size_t start = size <= 4 ? at + 8 : number(at + 8, 4);
        if (start > block_.size() || size > block_.size() - start || size > most_text - taken_) return;
        taken_ += size;
        const Bytes bytes = block_.subspan(start, size);
        std::string text = tag == user_comment ? comment(bytes, big_) : is_windows_text(tag) ? from_utf16(bytes, false) : plain(bytes);
        if (!text.empty()) texts_.push_back({name_of(tag), std::move(text)});
    }

    Bytes block_;
    bool big_ = false;
    std::size_t taken_ = 0;
    std::vector<PictureText> texts_;
};

}  // namespace

std::vector<PictureText> exif_texts(Bytes block) { return Reader(block).take(); }

std::vector<std::byte> exif_with_description(const std::string& text) {
    std::vector<std::byte> block;
    const auto put = [&](std::uint32_t value, int size) {
        for (int i = size - 1; i >= 0; --i) block.push_back(static_cast<std::byte>(value >> (8 * i)));
    };
    constexpr std::uint32_t directory = 8, entries = 1, behind = directory + 2 + 12 * entries + 4;
    put(0x4d4d, 2);      // "MM": the high byte comes first
    put(42, 2);
    put(directory, 4);
    put(entries, 2);
    put(description, 2);
    put(Ascii, 2);
    const std::size_t size = std::max<std::size_t>(text.size() + 1, 5);      // up to four bytes would have to stand in the entry
    put(static_cast<std::uint32_t>(size), 4);
    put(behind, 4);
    put(0, 4);      // no further directory
    for (const char c : text) block.push_back(static_cast<std::byte>(c));
    block.resize(behind + size, std::byte{0});
    return block;
}

}  // namespace nodes
