// A picture with the numbers that its tensor holds, and how it is looked at: channels, exposure, gamma, differences.
#pragma once

#include <QImage>
#include <array>
#include <memory>
#include <vector>

#include "nodes/core/socket_type.h"

namespace app {

enum class PixelSpace { Srgb, Linear, Raw };  // Raw: no colours (masks, depth, latents, tensors)

struct RawPicture {
    int width = 0, height = 0, channels = 0;
    PixelSpace space = PixelSpace::Srgb;
    std::vector<float> values;  // [height, width, channels]; alpha, where there are 4 channels of colour, is the last
    bool exact = true;          // false: read from 8 bits, because the type has nothing but a preview
    bool mask = false;
    int cell = 1;               // pixels of the picture along a side of each of these: of latents, which are looked at cell by cell
    QImage plain;               // as it is shown without any change
    int index = 0, count = 1;   // which one of a batch or of a video's frames

    const float* pixel(int x, int y) const {
        return values.data() + (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) * static_cast<std::size_t>(channels);
    }
    // Whether the channels are gray, RGB or RGBA; else (latents, tensors) `plain` is all that has colours.
    bool coloured() const { return channels == 1 || channels == 3 || channels == 4; }
    bool has_alpha() const { return channels == 4 && space != PixelSpace::Raw; }
};
using PicturePtr = std::shared_ptr<const RawPicture>;

enum class Channel { Colour, Red, Green, Blue, Alpha, Luminance };

struct ViewSettings {
    Channel channel = Channel::Colour;
    double exposure = 0;   // stops: colours are multiplied by 2^exposure, in proportion to light
    double gamma = 1;      // what is shown is v^(1 / gamma)
    bool stretch = false;  // least and largest value to black and white: depth, latents

    bool plain() const { return channel == Channel::Colour && exposure == 0 && gamma == 1 && !stretch; }
    friend bool operator==(const ViewSettings&, const ViewSettings&) = default;
};

// Of what is shown, before it is cut off at 0 and 255: number of pixels for 256 levels of red, green and blue, and how many
// are below 0 or above 1.
struct Histogram {
    std::array<std::array<std::uint32_t, 256>, 3> levels{};
    std::array<std::uint64_t, 3> below{}, above{};
    std::uint64_t pixels = 0;
    bool gray = false;  // the three are the same
};

struct Rendered {
    QImage image;
    Histogram histogram;
};

Rendered rendered(const RawPicture& picture, const ViewSettings& settings);

// |a - b| of each channel, in the values that are shown without changes (sRGB, 0..1 and beyond). Null where their sizes differ.
PicturePtr difference(const RawPicture& a, const RawPicture& b);

// A mask in colour over a picture of any size; where it is 1 the colour covers by `opacity`.
QImage overlaid(const QImage& under, const RawPicture& mask, const QColor& colour, double opacity = 0.55);

// "0.5213  0.25  1", with integers of 255 where the picture was read from 8 bits.
QString pixel_text(const RawPicture& picture, int x, int y);

PicturePtr picture_of(const QImage& image);

}  // namespace app
