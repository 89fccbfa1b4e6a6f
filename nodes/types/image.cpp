#include "nodes/types/image.h"

#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/types/mask.h"
#include "nodes/types/tensor.h"

namespace nodes {
namespace {

// IEC 61966-2-1.
constexpr double linear_knee = 0.0031308, srgb_knee = 0.04045;

Tensor encode_srgb(const Tensor& linear) {
    const Tensor size = gpu::abs(linear);
    const Tensor curve = 1.055 * gpu::pow(gpu::maximum(size, linear_knee), 1 / 2.4) - 0.055;
    return gpu::sign(linear) * gpu::where(gpu::less_equal(size, gpu::full({}, linear_knee)), 12.92 * size, curve);
}

Tensor decode_srgb(const Tensor& srgb) {
    const Tensor size = gpu::abs(srgb);
    const Tensor curve = gpu::pow((size + 0.055) / 1.055, 2.4);
    return gpu::sign(srgb) * gpu::where(gpu::less_equal(size, gpu::full({}, srgb_knee)), size / 12.92, curve);
}

std::string summary(const Image& image) {
    const char* kind = image.channels() == 1 ? "gray" : image.channels() == 3 ? "RGB" : "RGBA";
    const std::string batch = image.batch() == 1 ? "" : gpu::format("{} x ", image.batch());
    return gpu::format("{}{} x {}, {}, {}", batch, image.width(), image.height(), kind, to_string(image.space));
}

}  // namespace

const char* to_string(ColorSpace space) {
    switch (space) {
        case ColorSpace::Srgb: return "srgb";
        case ColorSpace::Linear: return "linear";
        case ColorSpace::Raw: break;
    }
    return "raw";
}

Tensor Image::color() const { return has_alpha() ? gpu::slice(tensor, 1, 0, 3) : tensor; }

Tensor Image::alpha() const {
    return has_alpha() ? gpu::slice(tensor, 1, 3, 4) : gpu::ones({batch(), 1, height(), width()});
}

Image Image::with(Tensor changed) const { return make_image(std::move(changed), space); }

Image make_image(Tensor tensor, ColorSpace space) {
    const gpu::Shape& s = tensor.shape();
    gpu::check(tensor.dtype() == gpu::Dtype::F32 && s.size() == 4 && (s[1] == 1 || s[1] == 3 || s[1] == 4) &&
                   tensor.element_count() > 0,
               gpu::ErrorCode::InvalidGraph, "image: expected F32 [N, 1 or 3 or 4, H, W] with pixels, got {}",
               gpu::to_string(tensor.spec()));
    return {std::move(tensor), space};
}

Image evaluated(Image image) {
    gpu::evaluate({image.tensor});
    return image;
}

double linear_from_srgb(double value) {
    const double size = std::abs(value);
    return std::copysign(size <= srgb_knee ? size / 12.92 : std::pow((size + 0.055) / 1.055, 2.4), value);
}

double srgb_from_linear(double value) {
    const double size = std::abs(value);
    return std::copysign(size <= linear_knee ? 12.92 * size : 1.055 * std::pow(size, 1 / 2.4) - 0.055, value);
}

Image in_space(const Image& image, ColorSpace space) {
    if (image.space == space || image.space == ColorSpace::Raw || space == ColorSpace::Raw) return {image.tensor, space};
    const Tensor color = space == ColorSpace::Srgb ? encode_srgb(image.color()) : decode_srgb(image.color());
    return {image.has_alpha() ? gpu::concat({color, image.alpha()}, 1) : color, space};
}

Image widened(const Image& image, std::int64_t channels) {
    if (image.channels() >= channels) return image;
    const Tensor color = gpu::broadcast_to(image.color(), {image.batch(), 3, image.height(), image.width()});
    return {channels == 3 ? color : gpu::concat({color, image.alpha()}, 1), image.space};
}

Tensor premultiplied(const Image& image) {
    if (!image.has_alpha()) return image.tensor;
    return gpu::concat({image.color() * image.alpha(), image.alpha()}, 1);
}

Image from_premultiplied(Tensor tensor, ColorSpace space) {
    Image image = make_image(std::move(tensor), space);
    if (!image.has_alpha()) return image;
    const Tensor alpha = gpu::clamp(image.alpha(), 0, 1);
    // Below half a step of 16 bits there is nothing to see, and dividing would only amplify rounding.
    constexpr double invisible = 0.5 / 65535;
    const Tensor color = gpu::where(gpu::less(alpha, gpu::full({}, invisible)), gpu::zeros({}),
                                    image.color() / gpu::maximum(alpha, invisible));
    return image.with(gpu::concat({color, alpha}, 1));
}

Image flattened(const Image& image, const Color& background) {
    if (!image.has_alpha()) return image;
    const Tensor under = color_tensor(background, 3, image.space);
    return image.with(gpu::lerp(under, image.color(), image.alpha()));
}

Tensor color_tensor(const Color& color, std::int64_t channels, ColorSpace space) {
    const auto value = [&](float encoded) {
        return space == ColorSpace::Linear ? static_cast<float>(linear_from_srgb(encoded)) : encoded;
    };
    const float red = value(color.red), green = value(color.green), blue = value(color.blue);
    switch (channels) {
        case 1: {
            const float values[] = {0.2126f * red + 0.7152f * green + 0.0722f * blue};
            return gpu::tensor(values, {1, 1, 1, 1});
        }
        case 3: {
            const float values[] = {red, green, blue};
            return gpu::tensor(values, {1, 3, 1, 1});
        }
        default: {
            const float values[] = {red, green, blue, color.alpha};
            return gpu::tensor(values, {1, 4, 1, 1});
        }
    }
}

Tensor from_interleaved(std::vector<float> pixels, std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) {
    const auto owner = std::make_shared<const std::vector<float>>(std::move(pixels));
    const Tensor view = gpu::leaf({{n, h, w, c}, gpu::Dtype::F32}, std::as_bytes(std::span(*owner)), owner);
    return gpu::permute(view, {0, 3, 1, 2});
}

std::vector<float> to_interleaved(const Tensor& tensor) { return gpu::to_floats(gpu::permute(tensor, {0, 2, 3, 1})); }

QImage to_qimage(const Image& image, int max_side) {
    Image small = in_space({gpu::slice(image.tensor, 0, 0, 1), image.space}, ColorSpace::Srgb);
    const auto side = std::max(small.width(), small.height());
    if (side > max_side) {
        const auto shrunk = [&](std::int64_t length) { return std::max<std::int64_t>(1, length * max_side / side); };
        small = from_premultiplied(gpu::resize(premultiplied(small), shrunk(small.height()), shrunk(small.width()),
                                               gpu::Filter::Area), small.space);
    }
    small = widened(small, 4);
    const std::vector<float> pixels = to_interleaved(small.tensor);
    QImage picture(static_cast<int>(small.width()), static_cast<int>(small.height()), QImage::Format_RGBA8888);
    for (int y = 0; y < picture.height(); ++y) {
        uchar* row = picture.scanLine(y);
        const float* source = pixels.data() + static_cast<std::size_t>(y) * picture.width() * 4;
        // Comparisons in this order send a NaN to 0.
        for (int i = 0; i < picture.width() * 4; ++i)
            row[i] = static_cast<uchar>(source[i] > 0 ? std::min(source[i], 1.0f) * 255 + 0.5f : 0);
    }
    return picture;
}

SocketType SocketTraits<Image>::describe() {
    return {.title = "Image", .colour = "#c9a23f", .help = "Pictures with a colour space",
            .bytes = erased<Image>([](const Image& image) { return tensor_bytes(image.tensor); }),
            .summary = erased<Image>(summary),
            .preview = erased<Image>(to_qimage),
            .hash = erased<Image>([](const Image& image) {
                return gpu::Hasher().add(image.space).add(content_hash(image.tensor)).finish();
            }),
            .accepts = {conversion<Mask, Image>([](const Mask& mask) { return make_image(mask.tensor, ColorSpace::Raw); })},
            .collect = collect_tensors<Image>,
            .store = erased<Image>([](const Image& image) {
                return std::optional(StoredValue{{{"space", to_string(image.space)}}, {{"tensor", image.tensor}}});
            }),
            .restore = [](const StoredValue& stored) {
                const QString name = stored.fields["space"].toString();
                for (const ColorSpace space : {ColorSpace::Srgb, ColorSpace::Linear, ColorSpace::Raw})
                    if (name == QLatin1String(to_string(space))) return Value::of<Image>(make_image(stored_tensor(stored, "tensor"), space));
                throw gpu::Error(gpu::ErrorCode::BadFile, "stored image: expected a colour space, got \"{}\"", name.toStdString());
            }};
}

}  // namespace nodes
