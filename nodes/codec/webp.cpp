#include "nodes/codec/webp.h"

#include <webp/decode.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <cstring>
#include <memory>

#include "gpu/base/error.h"

namespace nodes {

namespace {

std::vector<std::byte> with_exif(WebPData picture, std::span<const std::byte> exif) {
    const std::unique_ptr<WebPMux, void (*)(WebPMux*)> mux(WebPMuxCreate(&picture, 0), WebPMuxDelete);
    const WebPData block{reinterpret_cast<const std::uint8_t*>(exif.data()), exif.size()};
    WebPData made{};
    const bool done = mux && WebPMuxSetChunk(mux.get(), "EXIF", &block, 0) == WEBP_MUX_OK && WebPMuxAssemble(mux.get(), &made) == WEBP_MUX_OK;
    const std::unique_ptr<WebPData, void (*)(WebPData*)> owner(&made, WebPDataClear);
    gpu::check(done, gpu::ErrorCode::OutOfMemory, "save WebP: expected memory for {} bytes beside the picture, got none", exif.size());
    const auto* first = reinterpret_cast<const std::byte*>(made.bytes);
    return {first, first + made.size};
}

}  // namespace

bool is_webp(std::span<const std::byte> bytes) {
    return bytes.size() >= 12 && std::memcmp(bytes.data(), "RIFF", 4) == 0 && std::memcmp(bytes.data() + 8, "WEBP", 4) == 0;
}

WebpPixels decode_webp(std::span<const std::byte> bytes) {
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    WebPBitstreamFeatures features;
    gpu::check(WebPGetFeatures(data, bytes.size(), &features) == VP8_STATUS_OK, gpu::ErrorCode::BadFile,
               "read picture: expected a WebP file, got {} bytes that are none", bytes.size());
    gpu::check(!features.has_animation, gpu::ErrorCode::BadFile,
               "read picture: expected a still picture, got a WebP animation");
    WebpPixels picture{features.width, features.height, features.has_alpha != 0, {}};
    const int channels = picture.has_alpha ? 4 : 3;
    picture.pixels.resize(std::size_t(picture.width) * picture.height * channels);
    const auto decode = picture.has_alpha ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
    gpu::check(decode(data, bytes.size(), picture.pixels.data(), picture.pixels.size(), picture.width * channels) != nullptr,
               gpu::ErrorCode::BadFile, "read picture: expected {} x {} pixels of WebP, got a damaged or truncated file",
               picture.width, picture.height);
    return picture;
}

std::vector<std::byte> encode_webp(const WebpPixels& picture, int quality, std::span<const std::byte> exif) {
    gpu::check(picture.width <= WEBP_MAX_DIMENSION && picture.height <= WEBP_MAX_DIMENSION, gpu::ErrorCode::InvalidGraph,
               "save WebP: expected at most {} pixels a side, got {} x {}", WEBP_MAX_DIMENSION, picture.width, picture.height);
    const std::uint8_t* pixels = picture.pixels.data();
    const int w = picture.width, h = picture.height, stride = w * (picture.has_alpha ? 4 : 3);
    std::uint8_t* made = nullptr;
    const std::size_t size =
        quality >= 100 ? (picture.has_alpha ? WebPEncodeLosslessRGBA : WebPEncodeLosslessRGB)(pixels, w, h, stride, &made)
                       : (picture.has_alpha ? WebPEncodeRGBA : WebPEncodeRGB)(pixels, w, h, stride,
                                                                             static_cast<float>(quality), &made);
    const std::unique_ptr<std::uint8_t, void (*)(void*)> owner(made, WebPFree);
    gpu::check(size > 0 && made, gpu::ErrorCode::OutOfMemory, "save WebP: expected memory for {} x {} pixels, got none", w, h);
    if (!exif.empty()) return with_exif({made, size}, exif);
    const auto* first = reinterpret_cast<const std::byte*>(made);
    return {first, first + size};
}

}  // namespace nodes
