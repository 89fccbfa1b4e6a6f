#include <QString>
#include <algorithm>
#include <cctype>
#include <filesystem>

#include "gpu/base/error.h"
#include "gpu/io/atomic_file.h"
#include "gpu/ops.h"
#include "nodes/codec/image_file.h"
#include "nodes/codec/oiio.h"
#include "nodes/codec/picture_texts.h"
#include "nodes/codec/png.h"
#include "nodes/codec/webp.h"
#include "nodes/types/pixels.h"

namespace nodes {
namespace {

struct Format {
    const char* suffix;
    const char* writer;                  // "png", "webp", else OpenImageIO's name
    std::vector<PixelDepth> depths;      // the first is "auto"
    bool alpha;
    bool gray;
    const char* document;                // attribute for the document
};

const std::vector<Format>& formats() {
    using enum PixelDepth;
    static const std::vector<Format> rows = {
        {"png", "png", {U8, U16}, true, true, "heddle"},
        {"jpg", "jpeg", {U8}, false, true, "ImageDescription"},
        {"jpeg", "jpeg", {U8}, false, true, "ImageDescription"},
        {"tif", "tiff", {U8, U16, Float}, true, true, "ImageDescription"},
        {"tiff", "tiff", {U8, U16, Float}, true, true, "ImageDescription"},
        {"exr", "openexr", {Half, Float}, true, true, "heddle"},
        {"webp", "webp", {U8}, true, false, "ImageDescription"},
        {"avif", "heif", {U8}, true, false, "ImageDescription"},
    };
    return rows;
}

const char* to_string(PixelDepth depth) {
    static constexpr const char* names[] = {"auto", "8", "16", "half", "float"};
    return names[static_cast<int>(depth)];
}

template <typename List, typename Name>
std::string joined(const List& list, Name name) {
    std::string text;
    for (const auto& item : list) text += (text.empty() ? "" : ", ") + std::string(name(item));
    return text;
}

const Format& format_of(const std::string& path) {
    std::string suffix = std::filesystem::path(path).extension().string();
    std::ranges::transform(suffix, suffix.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const Format& format : formats())
        if (suffix.starts_with('.') && std::string_view(suffix).substr(1) == format.suffix) return format;
    throw gpu::Error(gpu::ErrorCode::InvalidGraph, "save picture {}: expected one of the suffixes {}, got {}", path,
                     joined(image_suffixes(), [](const auto& s) { return "." + s; }), suffix.empty() ? "none" : suffix);
}

PixelDepth depth_of(const std::string& path, const Format& format, PixelDepth wanted) {
    if (wanted == PixelDepth::Auto) return format.depths[0];
    gpu::check(std::ranges::find(format.depths, wanted) != format.depths.end(), gpu::ErrorCode::InvalidGraph,
               "save picture {}: expected depth {}, got {}", path,
               joined(format.depths, [](PixelDepth d) { return to_string(d); }), to_string(wanted));
    return wanted;
}

// In double on the host, so that a 16-bit file does not depend on a device's pow.
void convert(std::vector<float>& values, std::int64_t channels, ColorSpace from, ColorSpace to) {
    if (from == to || from == ColorSpace::Raw) return;
    for (std::size_t i = 0; i < values.size(); ++i)
        if (channels < 4 || i % 4 != 3)
            values[i] = static_cast<float>(to == ColorSpace::Srgb ? srgb_from_linear(values[i]) : linear_from_srgb(values[i]));
}

void associate(std::vector<float>& rgba) {
    for (std::size_t i = 0; i < rgba.size(); i += 4)
        for (std::size_t c = 0; c < 3; ++c) rgba[i + c] *= rgba[i + 3];
}

// Returns whether anything was less than opaque.
bool flatten(std::vector<float>& values, const Color& under) {
    const float background[] = {under.red, under.green, under.blue};
    std::vector<float> out(values.size() / 4 * 3);
    bool seen = false;
    for (std::size_t i = 0; i < values.size() / 4; ++i) {
        const float alpha = std::clamp(values[4 * i + 3], 0.0f, 1.0f);
        seen = seen || alpha < 1;
        for (std::size_t c = 0; c < 3; ++c) out[3 * i + c] = background[c] + (values[4 * i + c] - background[c]) * alpha;
    }
    values = std::move(out);
    return seen;
}

std::vector<std::byte> encode_by_oiio(const std::string& path, const Format& format, PixelDepth depth, const Image& image,
                                      std::int64_t channels, const std::vector<float>& values, const SaveImageOptions& options) {
    const bool whole = depth == PixelDepth::U8 || depth == PixelDepth::U16;
    const std::string_view writer = format.writer;
    oiio::Encode job{.writer = format.writer, .depth = static_cast<oiio::Depth>(static_cast<int>(depth) - 1),
                     .width = image.width(), .height = image.height(), .channels = channels, .pixels = values.data()};
    if (image.space != ColorSpace::Raw) job.space = whole ? "sRGB" : "Linear";
    if (writer == "openexr" || writer == "tiff") job.attributes.emplace_back("compression", "zip");
    if (writer == "jpeg") {
        job.attributes.emplace_back("Compression", gpu::format("jpeg:{}", options.quality));
        job.attributes.emplace_back("jpeg:subsampling", options.quality >= 90 ? "4:4:4" : "4:2:0");
    }
    if (writer == "heif") job.attributes.emplace_back("compression", gpu::format("avif:{}", options.quality));
    job.attributes.emplace_back("Software", "Heddle");
    // An EXIF block of JPEG ends at 64 kB.
    const bool apart = writer == "jpeg" && options.document.size() > 60000;
    if (!apart && !options.document.empty()) job.attributes.emplace_back(format.document, options.document);
    std::vector<std::byte> bytes;
    try {
        bytes = oiio::encode(path, std::move(job));
    } catch (gpu::Error& error) {
        if (writer == "heif") throw gpu::Error(error.code(), "{}; AVIF is written by OpenImageIO with libheif and its AV1 encoder (Debian 13: libheif-plugin-aomenc)", error.message());
        throw;
    }
    return apart ? with_jpeg_document(bytes, options.document) : bytes;
}

}  // namespace

std::string numbered_path(const std::string& path, std::int64_t index) {
    const std::filesystem::path whole(path);
    std::string stem = whole.stem().string();
    const auto at = stem.find('#');
    const auto end = at == std::string::npos ? at : stem.find_first_not_of('#', at);
    const std::size_t digits = at == std::string::npos ? 4 : (end == std::string::npos ? stem.size() : end) - at;
    std::string number = std::to_string(index + 1);
    if (number.size() < digits) number.insert(0, digits - number.size(), '0');
    if (at == std::string::npos)
        stem += "_" + number;
    else
        stem.replace(at, digits, number);
    return (whole.parent_path() / (stem + whole.extension().string())).string();
}

std::string ascii_json(const std::string& json) {
    std::string out;
    for (const QChar c : QString::fromStdString(json)) {
        if (c.unicode() < 0x80)
            out += static_cast<char>(c.unicode());
        else
            out += "\\u" + QString::number(c.unicode(), 16).rightJustified(4, QLatin1Char('0')).toStdString();
    }
    return out;
}

const std::vector<std::string>& image_suffixes() {
    static const std::vector<std::string> suffixes = [] {
        std::vector<std::string> all;
        for (const Format& format : formats()) all.emplace_back(format.suffix);
        return all;
    }();
    return suffixes;
}

std::vector<std::string> write_image(const std::string& path, const Image& image, std::int64_t index,
                                     const SaveImageOptions& options) {
    const Format& format = format_of(path);
    const PixelDepth depth = depth_of(path, format, options.depth);
    const bool whole = depth == PixelDepth::U8 || depth == PixelDepth::U16;
    std::vector<std::string> warnings;

    Image one{gpu::slice(image.tensor, 0, index, index + 1), image.space};
    if (one.channels() == 1 && !format.gray) one = widened(one, 3);
    std::int64_t channels = one.channels();
    std::vector<float> values = to_interleaved(one.tensor);
    convert(values, channels, one.space, whole ? ColorSpace::Srgb : ColorSpace::Linear);
    if (channels == 4 && !format.alpha) {
        if (flatten(values, options.background))
            warnings.push_back(gpu::format(".{} holds no alpha: the picture was put on the background colour", format.suffix));
        channels = 3;
    }
    if (channels == 4 && std::string_view(format.writer) == "openexr") associate(values);

    const std::string_view writer = format.writer;
    const int w = static_cast<int>(one.width()), h = static_cast<int>(one.height());
    if (writer == "webp") {
        const std::vector<std::byte> exif = options.document.empty() ? std::vector<std::byte>() : exif_with_description(options.document);
        gpu::write_file(path, encode_webp({w, h, channels == 4, quantised(values)}, options.quality, exif));
    } else if (writer == "png") {
        const PngPicture picture{.width = w, .height = h, .channels = static_cast<int>(channels), .pixels = std::move(values),
                                 .document = options.document};
        gpu::write_file(path, encode_png(picture, depth == PixelDepth::U16 ? 16 : 8, one.space != ColorSpace::Raw));
    } else {
        gpu::write_file(path, encode_by_oiio(path, format, depth, one, channels, values, options));
    }
    return warnings;
}

}  // namespace nodes
