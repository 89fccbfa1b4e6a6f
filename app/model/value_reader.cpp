#include "app/model/value_reader.h"

#include <algorithm>
#include <cmath>

#include "gpu/base/error.h"
#include "gpu/base/log.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/types/image.h"
#include "nodes/types/latent.h"
#include "nodes/types/mask.h"
#include "nodes/types/video.h"

namespace app {
namespace {

constexpr int whole_picture = 1 << 20;                  // larger than any: no scaling
constexpr std::int64_t most_elements = 256LL << 20;     // of one picture, so that a strange tensor can not fill the memory

int clamped(int index, std::int64_t count) { return static_cast<int>(std::clamp<std::int64_t>(index, 0, std::max<std::int64_t>(count, 1) - 1)); }

// One picture of [N, C, H, W].
std::shared_ptr<RawPicture> from_batch(const gpu::Tensor& batch, int index, PixelSpace space) {
    if (batch.element_count() == 0 || batch.element_count() / batch.size(0) > most_elements) return {};
    auto made = std::make_shared<RawPicture>();
    made->index = clamped(index, batch.size(0));
    made->count = static_cast<int>(batch.size(0));
    made->channels = static_cast<int>(batch.size(1));
    made->height = static_cast<int>(batch.size(2));
    made->width = static_cast<int>(batch.size(3));
    made->space = space;
    const gpu::Tensor one = gpu::slice(batch, 0, made->index, made->index + 1);
    made->values = nodes::to_interleaved(one.dtype() == gpu::Dtype::F32 ? one : gpu::cast(one, gpu::Dtype::F32));
    return made;
}

PixelSpace space_of(nodes::ColorSpace space) {
    return space == nodes::ColorSpace::Linear ? PixelSpace::Linear : space == nodes::ColorSpace::Raw ? PixelSpace::Raw : PixelSpace::Srgb;
}

PicturePtr of_image(const nodes::Image& image, int index) {
    const auto made = from_batch(image.tensor, index, space_of(image.space));
    if (made) made->plain = nodes::to_qimage(image.with(gpu::slice(image.tensor, 0, made->index, made->index + 1)), whole_picture);
    return made;
}

PicturePtr of_latent(const nodes::Latent& latent, int index) {
    const auto made = from_batch(latent.tensor, index, PixelSpace::Raw);
    if (!made) return {};
    nodes::Latent one = latent;
    one.mask = {};
    one.tensor = gpu::slice(latent.tensor, 0, made->index, made->index + 1);
    made->plain = nodes::latent_preview(one, whole_picture);
    made->cell = latent.format.factor;
    return made;
}

// The last two axes are the picture's, the one before counts channels, those before are a batch. Shown from its least to
// its largest value.
PicturePtr of_tensor(const gpu::Tensor& tensor, int index) {
    if (tensor.rank() < 2 || tensor.size(-1) < 2 || tensor.size(-2) < 2 || tensor.size(-1) > 16384 || tensor.size(-2) > 16384) return {};
    const std::int64_t h = tensor.size(-2), w = tensor.size(-1), c = tensor.rank() > 2 ? tensor.size(-3) : 1;
    const auto made = from_batch(gpu::reshape(tensor, {tensor.element_count() / (h * w * c), c, h, w}), index, PixelSpace::Raw);
    if (!made) return {};
    float low = INFINITY, high = -INFINITY;
    for (const float v : made->values)
        if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
    const float span = high > low ? high - low : 1;
    QImage plain(made->width, made->height, QImage::Format_RGB888);
    for (int y = 0; y < made->height; ++y)
        for (int x = 0; x < made->width; ++x)
            for (int i = 0; i < 3; ++i) {
                const float v = (made->pixel(x, y)[made->channels >= 3 ? i : 0] - low) / span;
                plain.scanLine(y)[x * 3 + i] = static_cast<uchar>(v > 0 ? std::min(v, 1.0f) * 255 + 0.5f : 0);
            }
    made->plain = plain;
    return made;
}

}  // namespace

// Remembers where it is, so that playing reads frame after frame and only a jump seeks.
struct ValueReader::Walk {
    std::shared_ptr<const nodes::VideoSource> source;
    std::vector<std::int64_t> times;
    std::unique_ptr<nodes::FrameReader> reader;
    int next = 0;
    double duration = 0;  // of the frame that was read last, ms

    PicturePtr read(const nodes::Video& video, int index) {
        if (source != video.source) {
            reader.reset();
            source = video.source;
            times = source->times();
        }
        const int count = static_cast<int>(times.size()) - 1;
        if (count < 1) return {};
        index = clamped(index, count);
        constexpr int near = 8;  // frames that are read through sooner than sought
        if (!reader || index < next || index > next + near) {
            reader = source->open(times[static_cast<std::size_t>(index)]);
            next = index;
        }
        std::optional<nodes::VideoFrame> frame;
        while (next <= index) {
            frame = reader->next();
            if (!frame) break;
            ++next;
        }
        if (!frame) {
            reader.reset();
            return {};
        }
        duration = static_cast<double>(frame->duration) * source->format().tick.value() * 1000;
        auto made = std::make_shared<RawPicture>(*of_image(frame->image, 0));
        made->index = index;
        made->count = count;
        return made;
    }
};

bool can_show(const nodes::Value& value) { return value.type() && (value.type()->preview || value.get<nodes::Tensor>()); }

QSize picture_size(const nodes::Value& value) {
    const auto size = [](std::int64_t width, std::int64_t height) { return QSize(static_cast<int>(width), static_cast<int>(height)); };
    if (const auto* image = value.get<nodes::Image>()) return size(image->width(), image->height());
    if (const auto* mask = value.get<nodes::Mask>()) return size(mask->width(), mask->height());
    if (const auto* latent = value.get<nodes::Latent>()) return size(latent->width(), latent->height()) * latent->format.factor;
    return {};
}

ValueReader::ValueReader(QObject* parent) : QObject(parent), walk_(std::make_shared<Walk>()) {}
ValueReader::~ValueReader() = default;

void ValueReader::read(const nodes::Value& value, int index) {
    struct Result {
        PicturePtr picture;
        double ms = 0;
    };
    task_.start(
        [walk = walk_, value, index]() -> Result {
            try {
                if (const auto* image = value.get<nodes::Image>()) return {of_image(*image, index)};
                if (const auto* mask = value.get<nodes::Mask>()) {
                    auto made = std::make_shared<RawPicture>(*of_image({mask->tensor, nodes::ColorSpace::Raw}, index));
                    made->mask = true;
                    return {made};
                }
                if (const auto* latent = value.get<nodes::Latent>()) return {of_latent(*latent, index)};
                if (const auto* tensor = value.get<nodes::Tensor>()) return {of_tensor(*tensor, index)};
                if (const auto* video = value.get<nodes::Video>()) {
                    PicturePtr picture = walk->read(*video, index);
                    return {std::move(picture), walk->duration};
                }
                return {picture_of(value.preview(whole_picture))};
            } catch (const std::exception& error) {
                gpu::log("editor", gpu::LogLevel::Warning, "show a {}: {}", value.type() ? value.type()->name : "value", error.what());
                return {};
            }
        },
        [this](const Result& result) {
            if (result.ms > 0) emit frame_duration(result.ms);
            emit picture_read(result.picture);
        });
}

}  // namespace app
