// ComfyUI's pictures and masks.
#include <cmath>

#include "nodes/interchange/comfy_values.h"

namespace nodes {
namespace {

ComfyConversion image_filter() {
    return names({{"nearest-exact", "nearest"},
                  {"bilinear", "bilinear"},
                  {"area", "area"},
                  {"bicubic", "bicubic"},
                  {"lanczos", "lanczos"}});
}

// Of ComfyUI's filters only that of Pillow widens when it shrinks.
ComfyConversion widens() {
    return {[](const QJsonValue& value, ComfyValues&) -> QJsonValue { return value.toString() == "lanczos"; }, {}};
}

std::string placed(const ComfyValues& values) {
    if (values.value("x").toInt() != 0 || values.value("y").toInt() != 0)
        return "laying one over another at a place (x, y) has no counterpart";
    return values.value("resize_source").toBool() ? "stretching the source (resize_source) has no counterpart" : "";
}

// The slopes of edges count from 0 to 1 there, and as 8-bit values here.
ComfyConversion slope() {
    return {[](const QJsonValue& value, ComfyValues&) -> QJsonValue { return value.toDouble() * 255; },
            [](const QJsonValue& value) -> QJsonValue { return value.toDouble() / 255; }};
}

ComfyConversion gray_color() {
    return {[](const QJsonValue& value, ComfyValues&) -> QJsonValue {
                const int level = qRound(qBound(0.0, value.toDouble(1), 1.0) * 255);
                return QString("#%1").arg(level * 0x10101, 6, 16, QChar('0'));
            },
            {}};
}

// torch.rot90 from the width to the height: clockwise.
ComfyConversion quarters() {
    return {[](const QJsonValue& value, ComfyValues&) -> QJsonValue { return value.toString().section(' ', 0, 0).toInt(); },
            [](const QJsonValue& value) -> QJsonValue {
                const double turns = value.toDouble() / 90;
                if (turns != std::round(turns)) return QJsonValue::Undefined;
                const int degrees = (static_cast<int>(turns) % 4 + 4) % 4 * 90;
                return degrees == 0 ? QString("none") : QString("%1 degrees").arg(degrees);
            }};
}

bool rotates(const ComfyValues& values) { return values.value("rotation").toString() != "none"; }

std::string one_picture(const ComfyValues& values) {
    return values.value("batch_size").toInt(1) > 1 ? "batches of empty pictures have no counterpart" : "";
}

}  // namespace

std::vector<ComfyClass> comfy_classes_image() {
    return {
        {.name = "SaveImage",
         .inputs = "images:IMAGE filename_prefix:STRING=ComfyUI",
         .outputs = "",
         .parts = {{"image.save",
                    "save",
                    {link("images", "image"), value("filename_prefix", "file", output_file(".png"))}}},
         .note = "writes `ComfyUI.png`; the next run replaces it"},
        {.name = "PreviewImage",
         .inputs = "images:IMAGE",
         .outputs = "",
         .parts = {{"image.save", "preview", {link("images", "image"), fixed("file", "preview.png")}}},
         .note = "writes `preview.png`",
         .exported = false},
        {.name = "ImageScale",
         .inputs = "image:IMAGE upscale_method:COMBO=nearest-exact width:INT=512 height:INT=512 crop:COMBO=disabled",
         .outputs = "IMAGE",
         .parts = {{"image.resize",
                    "resize",
                    {link("image", "image"), fixed("by", "size"), value("upscale_method", "filter", image_filter()),
                     value("upscale_method", "antialias", widens()), value("width"), value("height"),
                     value("crop", "fit", names({{"disabled", "stretch"}, {"center", "cover"}})),
                     out("IMAGE", "image")}}},
         .refuse = [](const ComfyValues& values) -> std::string {
             return values.value("width").toInt(1) == 0 || values.value("height").toInt(1) == 0
                        ? "a side of 0, which follows the other one, has no counterpart"
                        : "";
         }},
        {.name = "ImageScaleBy",
         .inputs = "image:IMAGE upscale_method:COMBO=nearest-exact scale_by:FLOAT=1",
         .outputs = "IMAGE",
         .parts = {{"image.resize",
                    "resize",
                    {link("image", "image"), fixed("by", "scale"), value("upscale_method", "filter", image_filter()),
                     value("upscale_method", "antialias", widens()), value("scale_by", "scale"),
                     out("IMAGE", "image")}}}},
        {.name = "ImageScaleToTotalPixels",
         .inputs = "image:IMAGE upscale_method:COMBO=nearest-exact megapixels:FLOAT=1",
         .outputs = "IMAGE",
         .parts = {{"image.resize",
                    "resize",
                    {link("image", "image"), fixed("by", "megapixels"), value("upscale_method", "filter", image_filter()),
                     value("upscale_method", "antialias", widens()), value("megapixels"), out("IMAGE", "image")}}}},
        {.name = "ImageScaleToMaxDimension",
         .inputs = "image:IMAGE upscale_method:COMBO=area largest_size:INT=512",
         .outputs = "IMAGE",
         .parts = {{"image.resize",
                    "resize",
                    {link("image", "image"), fixed("by", "longest"), value("upscale_method", "filter", image_filter()),
                     value("upscale_method", "antialias", widens()), value("largest_size", "side"), out("IMAGE", "image")}}},
         .refuse = [](const ComfyValues& values) -> std::string { return values.value("largest_size").toInt(1) == 0 ? "a side of 0 has no counterpart" : ""; }},
        {.name = "ImageFlip",
         .inputs = "image:IMAGE flip_method:COMBO=x-axis",
         .outputs = "IMAGE",
         .parts = {{"image.transform",
                    "flip",
                    {link("image", "image"),
                     value("flip_method", "mirror",
                           {[](const QJsonValue& given, ComfyValues&) -> QJsonValue { return QString(given.toString().startsWith('x') ? "vertical" : "horizontal"); },
                            names({{"x-axis: vertically", "vertical"}, {"y-axis: horizontally", "horizontal"}}).back}),
                     out("IMAGE", "image")}}},
         .note = "the result has an alpha"},
        {.name = "ImageRotate",
         .inputs = "image:IMAGE rotation:COMBO=none",
         .outputs = "IMAGE",
         .parts = {{"image.transform",
                    "rotate",
                    {link("image", "image"), value("rotation", "angle", quarters()), fixed("canvas", "grow"), out("IMAGE", "image")},
                    rotates}},
         .passes = {{"IMAGE", "image"}},
         .note = "the result has an alpha"},
        {.name = "UpscaleModelLoader",
         .inputs = "model_name:COMBO",
         .outputs = "UPSCALE_MODEL",
         .parts = {{"upscale.load",
                    "upscaler",
                    {value("model_name", "file", model_file({"upscale_models"})), out("UPSCALE_MODEL", "upscaler")}}},
         .note = "of the families ESRGAN, Real-ESRGAN and its compact one"},
        {.name = "ImageUpscaleWithModel",
         .inputs = "upscale_model:UPSCALE_MODEL image:IMAGE",
         .outputs = "IMAGE",
         .parts = {{"image.upscale",
                    "upscale",
                    {link("upscale_model", "upscaler"), link("image", "image"), out("IMAGE", "image")}}}},
        {.name = "ImageInvert",
         .inputs = "image:IMAGE",
         .outputs = "IMAGE",
         .parts = {{"image.invert", "invert", {link("image", "image"), out("IMAGE", "image")}}}},
        {.name = "ImageBatch",
         .inputs = "image1:IMAGE image2:IMAGE",
         .outputs = "IMAGE",
         .parts = {{"image.batch", "batch", {link("image1", "a"), link("image2", "b"), out("IMAGE", "image")}}},
         .note = "where both are of one size"},
        {.name = "ImageFromBatch",
         .inputs = "image:IMAGE batch_index:INT=0 length:INT=1",
         .outputs = "IMAGE",
         .parts = {{"image.pick",
                    "pick",
                    {link("image", "image"), value("batch_index", "index"), value("length", "count"),
                     out("IMAGE", "image")}}}},
        {.name = "RepeatImageBatch",
         .inputs = "image:IMAGE amount:INT=1",
         .outputs = "IMAGE",
         .parts = {{"image.repeat",
                    "repeat",
                    {link("image", "image"), value("amount", "times"), out("IMAGE", "image")}}}},
        {.name = "JoinImageWithAlpha",
         .inputs = "image:IMAGE alpha:MASK",
         .outputs = "IMAGE",
         .parts = {{"image.set_alpha",
                    "alpha",
                    {link("image", "image"), link("alpha", "mask"), fixed("invert", true), out("IMAGE", "image")}}},
         .exported = false},
        {.name = "EmptyImage",
         .inputs = "width:INT=512 height:INT=512 batch_size:INT=1 color:INT=0",
         .outputs = "IMAGE",
         .parts = {{"image.checker",
                    "plain",
                    {value("width"), value("height"), value("color", "first", packed_color()),
                     value("color", "second", packed_color()), out("IMAGE", "image")}}},
         .refuse = one_picture,
         .exported = false},
        {.name = "ImagePadForOutpaint",
         .inputs = "image:IMAGE left:INT=0 top:INT=0 right:INT=0 bottom:INT=0 feathering:INT=40",
         .outputs = "IMAGE MASK",
         .parts = {{"image.outpaint",
                    "pad",
                    {link("image", "image"), value("left"), value("top"), value("right"), value("bottom"),
                     value("feathering", "feather"), out("IMAGE", "image"), out("MASK", "mask")}}}},
        {.name = "ImageCrop",
         .inputs = "image:IMAGE width:INT=512 height:INT=512 x:INT=0 y:INT=0",
         .outputs = "IMAGE",
         .parts = {{"image.crop",
                    "crop",
                    {link("image", "image"), fixed("anchor", "top-left"), value("width"), value("height"), value("x"),
                     value("y"), out("IMAGE", "image")}}}},
        {.name = "ImageCompositeMasked",
         .inputs = "destination:IMAGE source:IMAGE x:INT=0 y:INT=0 resize_source:BOOLEAN=false ?mask:MASK",
         .outputs = "IMAGE",
         .parts = {{"image.blend",
                    "blend",
                    {link("destination", "base"), link("source", "layer"), link("mask", "mask"),
                     out("IMAGE", "image")}}},
         .refuse = placed,
         .note = "where both are of one size",
         .exported = false},
        {.name = "ImageBlend",
         .inputs = "image1:IMAGE image2:IMAGE blend_factor:FLOAT=0.5 blend_mode:COMBO=normal",
         .outputs = "IMAGE",
         .parts = {{"image.blend",
                    "blend",
                    {link("image1", "base"), link("image2", "layer"), value("blend_factor", "opacity"),
                     value("blend_mode", "mode",
                           names({{"normal", "normal"},
                                  {"multiply", "multiply"},
                                  {"screen", "screen"},
                                  {"overlay", "overlay"},
                                  {"soft_light", "soft-light"},
                                  {"difference", "subtract"}})),
                     out("IMAGE", "image")}}}},
        {.name = "ImageBlur",
         .inputs = "image:IMAGE blur_radius:INT=1 sigma:FLOAT=1",
         .outputs = "IMAGE",
         .parts = {{"image.blur", "blur", {link("image", "image"), value("sigma"), out("IMAGE", "image")}}},
         .note = "the whole bell, not cut at a radius",
         .told = true},
        {.name = "SplitImageWithAlpha",
         .inputs = "image:IMAGE",
         .outputs = "IMAGE MASK",
         .parts = {{"mask.from_image",
                    "mask",
                    {link("image", "image"), fixed("channel", "alpha"), fixed("invert", true), out("MASK", "mask")}}},
         .passes = {{"IMAGE", "image"}},
         .exported = false},
        {.name = "Canny",
         .inputs = "image:IMAGE low_threshold:FLOAT=0.4 high_threshold:FLOAT=0.8",
         .outputs = "IMAGE",
         .parts = {{"preprocess.canny",
                    "edges",
                    {link("image", "image"), value("low_threshold", "low", slope()),
                     value("high_threshold", "high", slope()), fixed("sigma", 1), fixed("norm", "euclidean"),
                     out("IMAGE", "image")}}},
         .note = "lines differ by single pixels"},

        {.name = "MaskToImage",
         .inputs = "mask:MASK",
         .outputs = "IMAGE",
         .passes = {{"IMAGE", "mask"}},
         .note = "masks link to pictures as they are"},
        {.name = "ImageToMask",
         .inputs = "image:IMAGE channel:COMBO=red",
         .outputs = "MASK",
         .parts = {{"mask.from_image", "mask", {link("image", "image"), value("channel"), out("MASK", "mask")}}}},
        {.name = "ImageColorToMask",
         .inputs = "image:IMAGE color:INT=0",
         .outputs = "MASK",
         .parts = {{"mask.from_color",
                    "mask",
                    {link("image", "image"), value("color", "color", packed_color()), fixed("tolerance", 0),
                     out("MASK", "mask")}}}},
        {.name = "SolidMask",
         .inputs = "value:FLOAT=1 width:INT=512 height:INT=512",
         .outputs = "MASK",
         .parts = {{"mask.from_image",
                    "mask",
                    {wire("plain", "image", "image"), fixed("channel", "red"), out("MASK", "mask")}},
                   {"image.checker",
                    "plain",
                    {value("width"), value("height"), value("value", "first", gray_color()),
                     value("value", "second", gray_color())}}},
         .exported = false},
        {.name = "InvertMask",
         .inputs = "mask:MASK",
         .outputs = "MASK",
         .parts = {{"mask.invert", "invert", {link("mask", "mask"), out("MASK", "mask")}}}},
        {.name = "CropMask",
         .inputs = "mask:MASK x:INT=0 y:INT=0 width:INT=512 height:INT=512",
         .outputs = "MASK",
         .parts = {{"mask.from_image",
                    "mask",
                    {wire("crop", "image", "image"), fixed("channel", "red"), out("MASK", "mask")}},
                   {"image.crop",
                    "crop",
                    {link("mask", "image"), fixed("anchor", "top-left"), value("width"), value("height"), value("x"),
                     value("y")}}},
         .exported = false},
        {.name = "MaskComposite",
         .inputs = "destination:MASK source:MASK x:INT=0 y:INT=0 operation:COMBO=multiply",
         .outputs = "MASK",
         .parts = {{"mask.combine",
                    "combine",
                    {link("destination", "a"), link("source", "b"),
                     value("operation", "mode",
                           names({{"multiply", "multiply"},
                                  {"add", "add"},
                                  {"subtract", "subtract"},
                                  {"and", "intersection"},
                                  {"or", "union"},
                                  {"xor", "exclusive"}})),
                     out("MASK", "mask")}}},
         .refuse = placed,
         .note = "where both are of one size",
         .exported = false},
        {.name = "GrowMask",
         .inputs = "mask:MASK expand:INT=0 tapered_corners:BOOLEAN=true",
         .outputs = "MASK",
         .parts = {{"mask.grow",
                    "grow",
                    {link("mask", "mask"), value("expand", "by"),
                     value("tapered_corners", "shape", flag_names("diamond", "square")), out("MASK", "mask")}}}},
        {.name = "ThresholdMask",
         .inputs = "mask:MASK value:FLOAT=0.5",
         .outputs = "MASK",
         .parts = {{"mask.from_image",
                    "mask",
                    {link("mask", "image"), fixed("channel", "red"), fixed("binary", true), value("value", "threshold"),
                     out("MASK", "mask")}}},
         .exported = false},
    };
}

}  // namespace nodes
