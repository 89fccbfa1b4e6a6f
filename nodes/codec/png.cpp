#include "nodes/codec/png.h"

#include <zlib.h>

#include <QBuffer>
#include <QColorSpace>
#include <QImageReader>
#include <QImageWriter>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "gpu/base/error.h"

namespace nodes {
namespace {

constexpr std::int64_t most_pixels = std::int64_t{1} << 28;

template <typename T>
void widen(const QImage& image, int channels, int stored, std::vector<float>& out) {
    constexpr float most = std::numeric_limits<T>::max();
    for (int y = 0; y < image.height(); ++y) {
        const T* row = reinterpret_cast<const T*>(image.constScanLine(y));
        float* to = out.data() + std::size_t(y) * image.width() * channels;
        for (int x = 0; x < image.width(); ++x)
            for (int c = 0; c < channels; ++c) to[x * channels + c] = static_cast<float>(row[x * stored + c]) / most;
    }
}

// Rounds to nearest; NaN becomes 0.
template <typename T>
void narrow(const std::vector<float>& from, int channels, int stored, QImage& image) {
    constexpr float most = std::numeric_limits<T>::max();
    for (int y = 0; y < image.height(); ++y) {
        T* row = reinterpret_cast<T*>(image.scanLine(y));
        const float* values = from.data() + std::size_t(y) * image.width() * channels;
        for (int x = 0; x < image.width(); ++x)
            for (int c = 0; c < stored; ++c) {
                const float v = c < channels ? values[x * channels + c] : 1;
                row[x * stored + c] = static_cast<T>(v > 0 ? std::min(v, 1.0f) * most + 0.5f : 0);
            }
    }
}

std::uint32_t big_endian(const std::byte* at) {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(at[i]);
    return value;
}

// Deflated bytes, unpacked; empty where they are damaged or too many to be a graph.
std::string unpacked(std::string_view content) {
    constexpr std::size_t most = 64 << 20;
    if (content.empty() || content.size() > most) return {};
    z_stream stream{};
    if (inflateInit(&stream) != Z_OK) return {};
    const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, inflateEnd);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
    stream.avail_in = static_cast<uInt>(content.size());
    std::string text;
    std::vector<char> part(1 << 16);
    for (int status = Z_OK; status == Z_OK;) {
        stream.next_out = reinterpret_cast<Bytef*>(part.data());
        stream.avail_out = static_cast<uInt>(part.size());
        status = inflate(&stream, Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END) return {};
        text.append(part.data(), part.size() - stream.avail_out);
        if (text.size() > most) return {};
    }
    return text;
}

// What follows the keyword of an iTXt chunk: a flag, a method, a language and a translation that end in zeros, the text.
std::string international(std::string_view content) {
    if (content.size() < 2) return {};
    const bool compressed = content[0] != 0;
    content.remove_prefix(2);
    for (int part = 0; part < 2; ++part) {
        const std::size_t end = content.find('\0');
        if (end == std::string_view::npos) return {};
        content.remove_prefix(end + 1);
    }
    return compressed ? unpacked(content) : std::string(content);
}

void note_colors(const QImage& image, PngPicture& picture) {
    const QColorSpace space = image.colorSpace();
    if (!space.isValid() || space == QColorSpace(QColorSpace::SRgb)) return;
    picture.linear = space.transferFunction() == QColorSpace::TransferFunction::Linear;
    const bool usual = space.primaries() == QColorSpace::Primaries::SRgb &&
                       (picture.linear || space.transferFunction() == QColorSpace::TransferFunction::SRgb ||
                        (space.transferFunction() == QColorSpace::TransferFunction::Gamma && std::abs(space.gamma() - 2.2f) < 0.05f));
    const std::string name = space.description().toStdString();
    if (!usual) picture.notes.push_back(gpu::format("the colour profile \"{}\" was not applied", name.empty() ? "(unnamed)" : name));
}

}  // namespace

bool is_png(std::span<const std::byte> bytes) {
    return bytes.size() >= 8 && std::memcmp(bytes.data(), "\x89PNG\r\n\x1a\n", 8) == 0;
}

// Read here because QImageReader::text() folds white space.
std::string png_text(std::span<const std::byte> bytes, std::string_view keyword) {
    std::string key(keyword);
    key += '\0';
    for (std::size_t at = 8; at + 12 <= bytes.size();) {
        const std::uint32_t length = big_endian(&bytes[at]);
        if (length > bytes.size() - at - 12) break;
        const auto* text = reinterpret_cast<const char*>(&bytes[at + 4]);
        const std::string_view type(text, 4), content(text + 4, length);
        at += 12 + std::size_t{length};
        if (!content.starts_with(key)) continue;
        if (type == "tEXt") return std::string(content.substr(key.size()));
        if (type == "zTXt" && length > key.size()) return unpacked(content.substr(key.size() + 1));
        if (type == "iTXt") return international(content.substr(key.size()));
    }
    return {};
}

PngPicture decode_png(std::span<const std::byte> bytes, bool header_only) {
    QByteArray data = QByteArray::fromRawData(reinterpret_cast<const char*>(bytes.data()), static_cast<qsizetype>(bytes.size()));
    QBuffer buffer(&data);
    buffer.open(QIODevice::ReadOnly);
    QImageReader reader(&buffer, "png");
    reader.setAutoTransform(true);
    PngPicture picture;
    picture.document = png_text(bytes, "heddle");
    if (header_only) return picture;

    const QSize size = reader.size();
    const std::int64_t pixels = std::int64_t{size.width()} * size.height();
    gpu::check(size.isValid() && pixels > 0 && pixels <= most_pixels, gpu::ErrorCode::BadFile,
               "read PNG: expected 1 to {} pixels, got {} x {}", most_pixels, size.width(), size.height());
    // Deflate makes at most 1032 bytes of one: a header that promises more (24 times more where bits become three
    // bytes) lies, and must not make us reserve the memory.
    gpu::check(pixels <= 30000 * static_cast<std::int64_t>(bytes.size()), gpu::ErrorCode::BadFile,
               "read PNG: expected {} x {} pixels, got a file of {} bytes", size.width(), size.height(), bytes.size());
    reader.setAllocationLimit(0);      // checked above
    QImage image = reader.read();
    gpu::check(!image.isNull(), gpu::ErrorCode::BadFile, "read PNG: expected {} x {} whole pixels, got: {}", size.width(),
               size.height(), reader.errorString().toStdString());

    note_colors(image, picture);
    picture.width = image.width();
    picture.height = image.height();
    const bool deep = image.depth() == 64 || image.format() == QImage::Format_Grayscale16;
    const bool alpha = image.hasAlphaChannel();
    const bool gray = !alpha && (image.format() == QImage::Format_Grayscale8 || image.format() == QImage::Format_Grayscale16 ||
                                 (image.isGrayscale() && image.depth() <= 8));
    picture.channels = gray ? 1 : alpha ? 4 : 3;
    image.convertTo(gray ? (deep ? QImage::Format_Grayscale16 : QImage::Format_Grayscale8)
                         : (deep ? QImage::Format_RGBA64 : QImage::Format_RGBA8888));
    gpu::check(!image.isNull(), gpu::ErrorCode::OutOfMemory, "read PNG: expected memory for {} x {} pixels, got none", size.width(),
               size.height());
    picture.pixels.resize(std::size_t(picture.width) * picture.height * picture.channels);
    (deep ? widen<std::uint16_t> : widen<std::uint8_t>)(image, picture.channels, gray ? 1 : 4, picture.pixels);
    return picture;
}

std::vector<std::byte> encode_png(const PngPicture& picture, int bits, bool srgb) {
    const bool deep = bits == 16;
    using Format = QImage::Format;
    const Format format = picture.channels == 1   ? (deep ? Format::Format_Grayscale16 : Format::Format_Grayscale8)
                          : picture.channels == 3 ? (deep ? Format::Format_RGBX64 : Format::Format_RGB888)
                                                  : (deep ? Format::Format_RGBA64 : Format::Format_RGBA8888);
    QImage image(picture.width, picture.height, format);
    gpu::check(!image.isNull(), gpu::ErrorCode::OutOfMemory, "save PNG: expected memory for {} x {} pixels, got none", picture.width,
               picture.height);
    const int stored = image.depth() / (deep ? 16 : 8);
    (deep ? narrow<std::uint16_t> : narrow<std::uint8_t>)(picture.pixels, picture.channels, stored, image);
    if (srgb) image.setColorSpace(QColorSpace::SRgb);
    if (!picture.document.empty()) image.setText("heddle", QString::fromStdString(picture.document));
    image.setText("Software", "Heddle");

    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QImageWriter writer(&buffer, "png");
    writer.setQuality(70);      // zlib level 2: half the time of the default for a few per cent of size
    gpu::check(writer.write(image), gpu::ErrorCode::Failure, "save PNG: expected {} x {} pixels to be encoded, got: {}",
               picture.width, picture.height, writer.errorString().toStdString());
    const auto* first = reinterpret_cast<const std::byte*>(bytes.constData());
    return {first, first + bytes.size()};
}

}  // namespace nodes
