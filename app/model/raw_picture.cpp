#include "app/model/raw_picture.h"

#include <QColor>
#include <algorithm>
#include <cmath>

#include "nodes/types/image.h"

namespace app {
namespace {

constexpr double red_share = 0.2126, green_share = 0.7152, blue_share = 0.0722;

double luma(const double* rgb) { return red_share * rgb[0] + green_share * rgb[1] + blue_share * rgb[2]; }

// Red, green, blue and alpha of a pixel in the picture's own space.
void colour_at(const RawPicture& picture, int x, int y, double* rgba) {
    if (!picture.coloured()) {
        const QColor shown = picture.plain.pixelColor(x, y);
        rgba[0] = shown.redF(), rgba[1] = shown.greenF(), rgba[2] = shown.blueF(), rgba[3] = 1;
        return;
    }
    const float* pixel = picture.pixel(x, y);
    for (int i = 0; i < 3; ++i) rgba[i] = pixel[picture.channels == 1 ? 0 : i];
    rgba[3] = picture.has_alpha() ? pixel[3] : 1;
}

struct Range {
    double low = 0, high = 1;
};

Range range_of(const RawPicture& picture, Channel channel) {
    Range range{HUGE_VAL, -HUGE_VAL};
    const int only = channel == Channel::Red || channel == Channel::Green || channel == Channel::Blue ? static_cast<int>(channel) - 1 : -1;
    const int colours = picture.has_alpha() ? 3 : picture.channels;
    for (std::size_t i = 0; i < picture.values.size(); i += static_cast<std::size_t>(picture.channels))
        for (int c = 0; c < colours; ++c) {
            const double v = picture.values[i + static_cast<std::size_t>(c)];
            if (!std::isfinite(v) || (only >= 0 && only < colours && c != only)) continue;
            range.low = std::min(range.low, v), range.high = std::max(range.high, v);
        }
    return range.high > range.low ? range : Range{};
}

// One channel of a latent or tensor, else of the colours.
void choose_channel(const RawPicture& picture, Channel channel, int x, int y, double* rgba) {
    const auto all = [&](double v) { rgba[0] = rgba[1] = rgba[2] = v, rgba[3] = 1; };
    switch (channel) {
        case Channel::Colour: return;
        case Channel::Red:
        case Channel::Green:
        case Channel::Blue: {
            const int at = static_cast<int>(channel) - 1;
            return all(picture.coloured() ? rgba[at] : at < picture.channels ? picture.pixel(x, y)[at] : 0);
        }
        case Channel::Alpha: return all(picture.coloured() ? rgba[3] : picture.channels > 3 ? picture.pixel(x, y)[3] : 1);
        case Channel::Luminance: return all(luma(rgba));
    }
}

double shown(double v, PixelSpace space, const ViewSettings& settings, const Range& range) {
    if (settings.stretch) v = (v - range.low) / (range.high - range.low);
    const double factor = std::exp2(settings.exposure);
    if (space == PixelSpace::Linear || (space == PixelSpace::Srgb && settings.exposure != 0 && !settings.stretch)) {
        const double light = space == PixelSpace::Linear ? v : nodes::linear_from_srgb(v);
        v = nodes::srgb_from_linear(light * factor);
    } else {
        v *= factor;
    }
    return settings.gamma == 1 || !(v > 0) ? v : std::pow(v, 1 / settings.gamma);
}

int level(double v) { return v > 0 ? static_cast<int>(std::min(v, 1.0) * 255 + 0.5) : 0; }  // NaN: 0

}  // namespace

Rendered rendered(const RawPicture& picture, const ViewSettings& settings) {
    Rendered made;
    Histogram& histogram = made.histogram;
    const Range range = settings.stretch ? range_of(picture, settings.channel) : Range{};
    const bool alpha = picture.has_alpha() && settings.channel == Channel::Colour;
    const bool as_is = settings.plain();
    made.image = as_is ? picture.plain : QImage(picture.width, picture.height, alpha ? QImage::Format_RGBA8888 : QImage::Format_RGB888);
    // Alpha is no colour: neither space nor exposure apply to it.
    const PixelSpace space = settings.channel == Channel::Alpha || !picture.coloured() ? PixelSpace::Raw : picture.space;
    bool gray = true;
    for (int y = 0; y < picture.height; ++y) {
        uchar* row = as_is ? nullptr : made.image.scanLine(y);
        for (int x = 0; x < picture.width; ++x) {
            double rgba[4];
            colour_at(picture, x, y, rgba);
            choose_channel(picture, settings.channel, x, y, rgba);
            for (int c = 0; c < 3; ++c) {
                const double out = shown(rgba[c], space, settings, range);
                ++histogram.levels[static_cast<std::size_t>(c)][static_cast<std::size_t>(level(out))];
                histogram.below[static_cast<std::size_t>(c)] += out < 0;
                histogram.above[static_cast<std::size_t>(c)] += out > 1;
                gray &= rgba[c] == rgba[0];
                if (row) *row++ = static_cast<uchar>(level(out));
            }
            if (row && alpha) *row++ = static_cast<uchar>(level(rgba[3]));
        }
    }
    histogram.pixels = static_cast<std::uint64_t>(picture.width) * static_cast<std::uint64_t>(picture.height);
    histogram.gray = gray;
    return made;
}

PicturePtr difference(const RawPicture& a, const RawPicture& b) {
    if (a.width != b.width || a.height != b.height) return {};
    auto made = std::make_shared<RawPicture>();
    made->width = a.width, made->height = a.height, made->channels = 3;
    made->space = PixelSpace::Raw;
    made->exact = a.exact && b.exact;
    made->values.resize(static_cast<std::size_t>(a.width) * static_cast<std::size_t>(a.height) * 3);
    float* out = made->values.data();
    const auto encoded = [](const RawPicture& picture, double v) { return picture.space == PixelSpace::Linear ? nodes::srgb_from_linear(v) : v; };
    for (int y = 0; y < a.height; ++y)
        for (int x = 0; x < a.width; ++x) {
            double left[4], right[4];
            colour_at(a, x, y, left);
            colour_at(b, x, y, right);
            for (int c = 0; c < 3; ++c) *out++ = static_cast<float>(std::abs(encoded(a, left[c]) - encoded(b, right[c])));
        }
    QImage plain(a.width, a.height, QImage::Format_RGB888);
    for (int y = 0; y < a.height; ++y)
        for (int i = 0; i < a.width * 3; ++i)
            plain.scanLine(y)[i] = static_cast<uchar>(level(made->values[static_cast<std::size_t>(y) * static_cast<std::size_t>(a.width) * 3 + static_cast<std::size_t>(i)]));
    made->plain = plain;
    return made;
}

QImage overlaid(const QImage& under, const RawPicture& mask, const QColor& colour, double opacity) {
    QImage made = under.convertToFormat(QImage::Format_RGB888);
    const int rgb[3] = {colour.red(), colour.green(), colour.blue()};
    for (int y = 0; y < made.height(); ++y) {
        uchar* row = made.scanLine(y);
        const int from_y = std::min(mask.height - 1, static_cast<int>((y + 0.5) * mask.height / made.height()));
        for (int x = 0; x < made.width(); ++x) {
            const int from_x = std::min(mask.width - 1, static_cast<int>((x + 0.5) * mask.width / made.width()));
            double rgba[4];
            colour_at(mask, from_x, from_y, rgba);
            const double share = std::clamp(luma(rgba), 0.0, 1.0) * opacity;
            for (int c = 0; c < 3; ++c) {
                uchar& v = row[x * 3 + c];
                v = static_cast<uchar>(v + (rgb[c] - v) * share + 0.5);
            }
        }
    }
    return made;
}

QString pixel_text(const RawPicture& picture, int x, int y) {
    const QColor colour = picture.plain.pixelColor(x, y);
    QString text = QStringLiteral("x %1  y %2    %3   ").arg(x).arg(y).arg(colour.name());
    const float* pixel = picture.pixel(x, y);
    static const char* const names[] = {"R", "G", "B", "A"};
    constexpr int most = 8;  // of a latent's or tensor's channels
    for (int c = 0; c < std::min(picture.channels, most); ++c) {
        const bool named = picture.channels == 3 || picture.has_alpha();
        const QString name = picture.channels == 1 ? QString() : named ? QString::fromLatin1(names[c]) + ' ' : QStringLiteral("%1: ").arg(c);
        text += QStringLiteral(" %1%2 ").arg(name, picture.exact ? QString::number(static_cast<double>(pixel[c]), 'g', 5)
                                                                 : QString::number(std::lround(pixel[c] * 255)));
    }
    if (picture.channels > most) text += QStringLiteral(" ...");
    return text.trimmed();
}

PicturePtr picture_of(const QImage& image) {
    if (image.isNull()) return {};
    auto made = std::make_shared<RawPicture>();
    const QImage bytes = image.convertToFormat(QImage::Format_RGBA8888);
    made->width = image.width(), made->height = image.height(), made->channels = image.hasAlphaChannel() ? 4 : 3;
    made->exact = false;
    made->plain = image;
    made->values.reserve(static_cast<std::size_t>(image.width()) * static_cast<std::size_t>(image.height() * made->channels));
    for (int y = 0; y < bytes.height(); ++y)
        for (int x = 0; x < bytes.width(); ++x)
            for (int c = 0; c < made->channels; ++c) made->values.push_back(static_cast<float>(bytes.constScanLine(y)[x * 4 + c]) / 255.0f);
    return made;
}

}  // namespace app
