// image: a batch of pictures with their colour space. In<Image>, Out<Image>.
//
// Values are display-referred sRGB in 0..1 unless the tag says otherwise, because that is what diffusion models read and
// write. Alpha is the fourth channel, straight (not multiplied into the colour), and never colour-encoded.
#pragma once

#include <string>
#include <vector>

#include "nodes/core/param.h"
#include "nodes/core/socket_type.h"
#include "nodes/types/tensor.h"

namespace nodes {

enum class ColorSpace {
    Srgb,      // Rec. 709 primaries, sRGB curve; the curve goes on above 1 and mirrored below 0, so that nothing is lost
    Linear,    // the same primaries, proportional to light
    Raw,       // numbers that are no colours: depth, normals; never converted
};

const char* to_string(ColorSpace space);      // "srgb", "linear", "raw"

struct Image {
    Tensor tensor;      // F32 [N, C, H, W], C: 1 gray, 3 RGB, 4 RGBA
    ColorSpace space = ColorSpace::Srgb;

    std::int64_t batch() const { return tensor.size(0); }
    std::int64_t channels() const { return tensor.size(1); }
    std::int64_t height() const { return tensor.size(2); }
    std::int64_t width() const { return tensor.size(3); }
    bool has_alpha() const { return channels() == 4; }

    Tensor color() const;      // [N, 1 or 3, H, W]: all but alpha
    Tensor alpha() const;      // [N, 1, H, W], ones where there is none
    // The same picture with other numbers. Throws Error{InvalidGraph} unless they are F32 [N, 1 or 3 or 4, H, W].
    Image with(Tensor changed) const;
};

// Throws Error{InvalidGraph} unless `tensor` is F32 [N, 1 or 3 or 4, H, W] with at least one pixel.
Image make_image(Tensor tensor, ColorSpace space = ColorSpace::Srgb);

// With its values computed: what nodes put on their outputs, so that a failure names the node that caused it.
Image evaluated(Image image);

// The curve between the two spaces for one channel value, exact to a float's precision. Negative values are mirrored.
double linear_from_srgb(double value);
double srgb_from_linear(double value);

// In another space; alpha stays. Raw values are taken as they are in both directions.
Image in_space(const Image& image, ColorSpace space);

// Gray widened to RGB by repetition, alpha 1 added: 1 -> 3 or 4, 3 -> 4. Never narrows.
Image widened(const Image& image, std::int64_t channels);

// Colour times alpha, and back (colour 0 where alpha is 0): filters must not bleed the colour of what can not be seen.
Tensor premultiplied(const Image& image);                                // [N, C, H, W]
Image from_premultiplied(Tensor tensor, ColorSpace space);

// The picture over a colour, without alpha. Mixed in the image's own space.
Image flattened(const Image& image, const Color& background);

// [1, channels, 1, 1] in that space; gray is the colour's luma. `channels` 4 carries the colour's alpha.
Tensor color_tensor(const Color& color, std::int64_t channels, ColorSpace space);

// Pixels interleaved as files have them, [N, H, W, C]: the tensor is a view of them.
Tensor from_interleaved(std::vector<float> pixels, std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c);
std::vector<float> to_interleaved(const Tensor& tensor);      // of [N, C, H, W]; evaluates

// The first picture of a batch, not larger than max_side along either axis.
QImage to_qimage(const Image& image, int max_side);

template <>
struct SocketTraits<Image> {
    static constexpr const char* name = "image";
    static SocketType describe();
};

}  // namespace nodes
