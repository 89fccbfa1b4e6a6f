#include <algorithm>

#include "gpu/base/error.h"
#include "gpu/io/mapped_file.h"
#include "nodes/codec/image_file.h"
#include "nodes/codec/oiio.h"
#include "nodes/codec/picture_texts.h"
#include "nodes/codec/png.h"
#include "nodes/codec/webp.h"

namespace nodes {
namespace {

LoadedImage loaded(std::vector<float> pixels, std::int64_t height, std::int64_t width, std::int64_t channels, ColorSpace space,
                   std::vector<std::string> notes) {
    return {make_image(from_interleaved(std::move(pixels), 1, height, width, channels), space), std::move(notes)};
}

}  // namespace

LoadedImage read_image(const std::string& path, std::optional<ColorSpace> assume) {
    const gpu::MappedFile file(path);      // also says which of missing, folder or unreadable it is
    const auto space = [&](bool linear) { return assume.value_or(linear ? ColorSpace::Linear : ColorSpace::Srgb); };
    try {
        if (is_png(file.bytes())) {
            PngPicture png = decode_png(file.bytes());
            return loaded(std::move(png.pixels), png.height, png.width, png.channels, space(png.linear), std::move(png.notes));
        }
        if (is_webp(file.bytes())) {
            const WebpPixels webp = decode_webp(file.bytes());
            std::vector<float> pixels(webp.pixels.size());
            std::ranges::transform(webp.pixels, pixels.begin(), [](std::uint8_t v) { return static_cast<float>(v) / 255.0f; });
            return loaded(std::move(pixels), webp.height, webp.width, webp.has_alpha ? 4 : 3, space(false), {});
        }
    } catch (gpu::Error& error) {
        throw error.in("file " + path);
    }
    oiio::Picture picture = oiio::read(path);
    return loaded(std::move(picture.pixels), picture.height, picture.width, picture.channels, space(picture.linear),
                  std::move(picture.notes));
}

std::string embedded_document(const std::string& path) {
    const gpu::MappedFile file(path);
    if (is_png(file.bytes()) || is_webp(file.bytes()) || is_jpeg(file.bytes())) return document_among(picture_texts(file.bytes()));
    return oiio::read(path, true).document;
}

}  // namespace nodes
