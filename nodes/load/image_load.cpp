#include "nodes/codec/image_file.h"
#include "nodes/core/node.h"

namespace nodes {
namespace {

enum class Assume { File, Srgb, Linear, Raw };

struct ImageLoad final : Node {
    ImageLoad() : Node({.id = "image.load", .version = 1, .title = "Load Image", .category = "Load",
                        .help = "Reads a picture file: PNG, JPEG, TIFF, OpenEXR, WebP and what else OpenImageIO knows. The "
                                "camera's orientation is applied; alpha is kept."}) {}

    Param<FilePath> file {this, "file", "The picture to read",
                          {.filter = "Pictures (*.png *.jpg *.jpeg *.tif *.tiff *.exr *.webp *.bmp *.hdr);;All files (*)"}};
    Param<Assume>   space{this, "space", "Colour space of the numbers in the file; \"file\" trusts the file, and where that is "
                                         "silent takes floats for linear and whole numbers for sRGB",
                          {.initial = Assume::File, .names = {"file", "srgb", "linear", "raw"}, .advanced = true}};
    Out<Image>      image{this, "image", "The picture, gray, RGB or RGBA"};

    void compute(Eval& ev) const override {
        std::optional<ColorSpace> assume;
        if (ev[space] == Assume::Srgb) assume = ColorSpace::Srgb;
        if (ev[space] == Assume::Linear) assume = ColorSpace::Linear;
        if (ev[space] == Assume::Raw) assume = ColorSpace::Raw;
        LoadedImage loaded;
        try {
            loaded = read_image(ev[file].path, assume);
        } catch (const gpu::Error& error) {
            ev.fail(file, error.code(), "{}", error.what());
        }
        for (const std::string& note : loaded.notes) ev.warn("{}: {}", ev[file].path, note);
        ev.set(image, evaluated(loaded.image));
    }
};

}  // namespace

REGISTER_NODE(image_load, ImageLoad)

}  // namespace nodes
