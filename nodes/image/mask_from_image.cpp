#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"

namespace nodes {
namespace {

enum class Channel { Luminance, Alpha, Red, Green, Blue };

struct MaskFromImage final : Node {
    MaskFromImage() : Node({.id = "mask.from_image", .version = 1, .title = "Mask from Image", .category = "Image",
                            .help = "Takes one channel of pictures as a mask."}) {}

    In<Image>      image    {this, "image", "Pictures to read"};
    Param<Channel> channel  {this, "channel", "Which channel; luminance weighs the encoded colours by Rec. 709, alpha is white "
                                              "where there is none",
                             {.initial = Channel::Luminance, .names = {"luminance", "alpha", "red", "green", "blue"}}};
    Param<bool>    binary   {this, "binary", "Only black and white, split at the threshold", {.initial = false}};
    Param<double>  threshold{this, "threshold", "From here on a binary mask is white", {.initial = 0.5, .min = 0, .max = 1, .step = 0.05}};
    Param<bool>    invert   {this, "invert", "Swaps black and white", {.initial = false}};
    Out<Mask>      mask     {this, "mask", "The mask, 0 to 1"};

    void compute(Eval& ev) const override {
        Tensor value = gpu::clamp(picked(in_space(ev[image], ColorSpace::Srgb), ev[channel]), 0, 1);
        if (ev[binary]) value = gpu::cast(gpu::less_equal(gpu::full({}, ev[threshold]), value), gpu::Dtype::F32);
        if (ev[invert]) value = 1.0 - value;
        ev.set(mask, evaluated(make_mask(value)));
    }

    static Tensor picked(const Image& source, Channel channel) {
        if (channel == Channel::Alpha) return source.alpha();
        const Tensor color = source.color();
        if (source.channels() == 1) return color;
        if (channel == Channel::Luminance) {
            const float weights[] = {0.2126f, 0.7152f, 0.0722f};
            return gpu::sum(color * gpu::tensor(weights, {1, 3, 1, 1}), {1});
        }
        const int at = static_cast<int>(channel) - static_cast<int>(Channel::Red);
        return gpu::slice(color, 1, at, at + 1);
    }
};

}  // namespace

REGISTER_NODE(mask_from_image, MaskFromImage)

}  // namespace nodes
