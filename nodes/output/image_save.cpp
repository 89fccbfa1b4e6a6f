#include <filesystem>

#include "nodes/codec/image_file.h"
#include "nodes/core/node.h"

namespace nodes {
namespace {

struct ImageSave final : Node {
    ImageSave() : Node({.id = "image.save", .version = 1, .title = "Save Image", .category = "Output",
                        .help = "Writes pictures; the suffix says the format: PNG, JPEG, TIFF, OpenEXR, WebP or AVIF. A file appears "
                                "whole or not at all. Several pictures are numbered.",
                        .side_effect = true}) {}

    In<Image>         image     {this, "image", "Pictures to write"};
    Param<OutputPath> file      {this, "file", "Where to; ### becomes the number of the picture",
                                 {.filter = "PNG (*.png);;JPEG (*.jpg *.jpeg);;OpenEXR (*.exr);;TIFF (*.tif *.tiff);;WebP (*.webp);;AVIF (*.avif)"}};
    Param<PixelDepth> depth     {this, "depth", "Bits of a channel: PNG 8 or 16, TIFF 8, 16 or float, OpenEXR half or float, "
                                                "JPEG, WebP and AVIF 8. Whole numbers are stored in sRGB, floats linear",
                                 {.initial = PixelDepth::Auto, .names = {"auto", "8", "16", "half", "float"}}};
    Param<int>        quality   {this, "quality", "Of JPEG, WebP and AVIF; WebP at 100 is lossless", {.initial = 95, .min = 1, .max = 100}};
    Param<Color>      background{this, "background", "What a transparent picture stands on in a format without alpha",
                                 {.initial = "#ffffff", .advanced = true}};
    Param<bool>       embed     {this, "embed", "Stores this graph in the file, so that it can be opened from the picture "
                                                "(heddle run PICTURE)",
                                 {.initial = true, .advanced = true}};

    void compute(Eval& ev) const override {
        const Image& pictures = ev[image];
        const SaveImageOptions options{.depth = ev[depth], .quality = ev[quality], .background = ev[background],
                                       .document = ev[embed] ? ascii_json(ev.document_json()) : std::string()};
        const bool numbered = pictures.batch() > 1 || std::filesystem::path(ev[file].path).filename().string().find('#') != std::string::npos;
        for (std::int64_t i = 0; i < pictures.batch(); ++i) {
            ev.progress(i, pictures.batch());
            const std::string path = numbered ? numbered_path(ev[file].path, i) : ev[file].path;
            try {
                for (const std::string& warning : write_image(path, pictures, i, options)) ev.warn("{}: {}", path, warning);
            } catch (const gpu::Cancelled&) {
                throw;
            } catch (const gpu::Error& error) {
                ev.fail(file, error.code(), "{}", error.what());
            }
            ev.wrote(path);
        }
    }
};

}  // namespace

REGISTER_NODE(image_save, ImageSave)

}  // namespace nodes
