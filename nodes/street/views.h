// Pictures of a street, one for each camera.
#pragma once

#include <QImage>
#include <QPainter>

#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/street_picture.h"

namespace nodes {

// [H, W, 3] of a picture that is `factor` times as large, by the mean of its pixels.
inline void append_shrunk(std::vector<float>& to, const QImage& picture, int factor) {
    const int width = picture.width() / factor, height = picture.height() / factor;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            int sum[3] = {};
            for (int dy = 0; dy < factor; ++dy) {
                const QRgb* row = reinterpret_cast<const QRgb*>(picture.constScanLine(y * factor + dy)) + x * factor;
                for (int dx = 0; dx < factor; ++dx) sum[0] += qRed(row[dx]), sum[1] += qGreen(row[dx]), sum[2] += qBlue(row[dx]);
            }
            for (const int value : sum) to.push_back(static_cast<float>(value / (255.0 * factor * factor)));
        }
}

// Draws each view of the cameras, resized to width x height, by draw(painter, projection, number), and stacks them. `factor`: how many
// times as large it is drawn; the painter is scaled.
template <typename Draw>
Image views_of(Eval& ev, const Cameras& cameras, int width, int height, int factor, Draw draw) {
    std::vector<float> all;
    const std::size_t count = cameras.list->size();
    all.reserve(count * static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
    for (std::size_t i = 0; i < count; ++i) {
        ev.progress(static_cast<std::int64_t>(i), static_cast<std::int64_t>(count));
        QImage picture(width * factor, height * factor, QImage::Format_RGB32);
        picture.fill(Qt::black);
        QPainter painter(&picture);
        painter.scale(factor, factor);
        draw(painter, Projection((*cameras.list)[i].resized(width, height)), i);
        painter.end();
        append_shrunk(all, picture, factor);
    }
    return make_image(from_interleaved(std::move(all), static_cast<std::int64_t>(count), height, width, 3));
}

// What a node reads that may not be there.
inline Boxes boxes_or_none(const Eval& ev, const In<Boxes>& in) { return ev.has(in) ? ev[in] : Boxes{std::make_shared<const std::vector<StreetBox>>()}; }
inline Lanes lanes_or_none(const Eval& ev, const In<Lanes>& in) { return ev.has(in) ? ev[in] : Lanes{std::make_shared<const std::vector<Lane>>()}; }

}  // namespace nodes
