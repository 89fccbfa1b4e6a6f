#include "nodes/types/dataset.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <numbers>
#include <numeric>

#include "gpu/base/error.h"
#include "gpu/base/philox.h"
#include "gpu/run/evaluate.h"
#include "nodes/types/image.h"
#include "nodes/types/placed_picture.h"

namespace nodes {
namespace {

// Streams of Heddle's generator, apart from those of samplers.
constexpr std::uint32_t order_stream = 0x64617461, framing_stream = 0x6672616d;

// Four numbers in [0, 1).
std::array<double, 4> uniforms(std::uint64_t seed, std::uint32_t stream, std::uint64_t number, std::uint32_t block) {
    const gpu::PhiloxCounter words = gpu::philox({static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32), block, stream}, seed);
    return {words[0] * 0x1p-32, words[1] * 0x1p-32, words[2] * 0x1p-32, words[3] * 0x1p-32};
}

struct Premultiplied {
    const Pixels& picture;
    const float* background;

    // The colour over the background at a place in pixels, between the nearest four. Outside: the background.
    void add(double x, double y, float* sum) const {
        const double left = std::floor(x - 0.5), top = std::floor(y - 0.5), u = x - 0.5 - left, v = y - 0.5 - top;
        for (const int dy : {0, 1})
            for (const int dx : {0, 1}) {
                const float weight = static_cast<float>((dx ? u : 1 - u) * (dy ? v : 1 - v));
                const auto column = static_cast<std::int64_t>(left) + dx, row = static_cast<std::int64_t>(top) + dy;
                if (column < 0 || row < 0 || column >= picture.width || row >= picture.height) {
                    for (int c = 0; c < 3; ++c) sum[c] += weight * background[c];
                    continue;
                }
                const std::uint8_t* at = picture.rgba.data() + 4 * (row * picture.width + column);
                const float alpha = static_cast<float>(at[3]) / 255;
                for (int c = 0; c < 3; ++c) sum[c] += weight * (static_cast<float>(at[c]) / 255 * alpha + background[c] * (1 - alpha));
            }
    }
};

class MemorySource final : public DatasetSource {
public:
    MemorySource(std::vector<std::string> captions, std::vector<std::shared_ptr<const Pixels>> pictures, std::vector<std::shared_ptr<const Pixels>> masks)
        : captions_(std::move(captions)), pictures_(std::move(pictures)), masks_(std::move(masks)) {
        gpu::Hasher hasher;
        const auto add = [&](const Pixels& picture) {
            hasher.add(gpu::format("{} x {}", picture.width, picture.height)).add(gpu::hash_bytes(std::as_bytes(std::span(picture.rgba))));
            bytes_ += picture.rgba.size();
        };
        for (std::size_t i = 0; i < captions_.size(); ++i) {
            hasher.add(captions_[i]);
            bytes_ += captions_[i].size();
            add(*pictures_[i]);
            if (has_masks() && masks_[i]) hasher.add("mask"), add(*masks_[i]);
        }
        hash_ = hasher.finish();
    }
    std::int64_t size() const override { return static_cast<std::int64_t>(captions_.size()); }
    std::string caption(std::int64_t item) const override { return captions_[static_cast<std::size_t>(item)]; }
    std::shared_ptr<const Pixels> picture(std::int64_t item) const override { return pictures_[static_cast<std::size_t>(item)]; }
    std::shared_ptr<const Pixels> mask(std::int64_t item) const override { return has_masks() ? masks_[static_cast<std::size_t>(item)] : nullptr; }
    bool has_masks() const override { return !masks_.empty(); }
    gpu::Hash hash() const override { return hash_; }
    std::size_t bytes() const override { return bytes_; }

private:
    std::vector<std::string> captions_;
    std::vector<std::shared_ptr<const Pixels>> pictures_, masks_;
    gpu::Hash hash_{};
    std::size_t bytes_ = 0;
};

// The frame that all of these have.
Framing one_framing(const Dataset& dataset, std::size_t count, const std::function<std::int64_t(std::size_t)>& index) {
    for (std::size_t i = 0; i < count; ++i) {
        gpu::check(index(i) >= 0 && index(i) < dataset.size(), gpu::ErrorCode::InvalidGraph, "dataset: expected an item below {}, got {}", dataset.size(), index(i));
        const Framing first = dataset.framing_of(index(0)), own = dataset.framing_of(index(i));
        gpu::check(own == first, gpu::ErrorCode::InvalidGraph, "dataset: expected pictures of one size at a time, got {} x {} and {} x {}", first.width, first.height, own.width,
                   own.height);
    }
    return count > 0 ? dataset.framing_of(index(0)) : dataset.framing;
}

Tensor drawn(const Dataset& dataset, std::size_t count, const std::function<std::int64_t(std::size_t)>& index,
             const std::function<const Visit*(std::size_t)>& visit, std::uint64_t seed) {
    const Framing f = one_framing(dataset, count, index);
    const std::size_t each = std::size_t{3} * static_cast<std::size_t>(f.width) * static_cast<std::size_t>(f.height);
    std::vector<float> values(count * each);
    for (std::size_t i = 0; i < count; ++i) {
        const auto picture = dataset.source->picture(dataset.items[static_cast<std::size_t>(index(i))]);
        draw_framed(*picture, f, seed, visit(i), std::span(values).subspan(i * each, each));
    }
    return gpu::tensor(values, {static_cast<std::int64_t>(count), 3, f.height, f.width});
}

Tensor drawn_masks(const Dataset& dataset, std::size_t count, const std::function<std::int64_t(std::size_t)>& index,
                   const std::function<const Visit*(std::size_t)>& visit, std::uint64_t seed) {
    Framing f = one_framing(dataset, count, index);
    f.recolour = 0;
    std::fill(std::begin(f.background), std::end(f.background), 0.0f);
    const std::size_t each = static_cast<std::size_t>(f.width) * static_cast<std::size_t>(f.height);
    std::vector<float> values(count * each, 1.0f), three(3 * each);
    for (std::size_t i = 0; i < count; ++i) {
        const auto mask = dataset.source->mask(dataset.items[static_cast<std::size_t>(index(i))]);
        if (!mask) continue;
        draw_framed(*mask, f, seed, visit(i), three);
        std::copy_n(three.begin(), each, values.begin() + static_cast<std::ptrdiff_t>(i * each));
    }
    return gpu::tensor(values, {static_cast<std::int64_t>(count), 1, f.height, f.width});
}

}  // namespace

void draw_placed(const Pixels& picture, const Placement& at, int width, int height, const float* background, std::span<float> out) {
    const double cosine = std::cos(at.angle) / at.scale, sine = std::sin(at.angle) / at.scale;
    const Premultiplied source{picture, background};
    const int fine = std::clamp(static_cast<int>(std::ceil(1 / at.scale)), 1, 8);
    const std::size_t plane = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            float sum[3] = {0, 0, 0};
            for (int j = 0; j < fine; ++j)
                for (int i = 0; i < fine; ++i) {
                    const double px = x + (i + 0.5) / fine - width / 2.0 - at.dx, py = y + (j + 0.5) / fine - height / 2.0 - at.dy;
                    const double sx = cosine * px + sine * py, sy = cosine * py - sine * px;
                    source.add(picture.width / 2.0 + (at.mirrored ? -sx : sx), picture.height / 2.0 + sy, sum);
                }
            const std::size_t to = static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
            for (std::size_t c = 0; c < 3; ++c) out[at.channels[c] * plane + to] = sum[c] / static_cast<float>(fine * fine);
        }
}

void draw_framed(const Pixels& picture, const Framing& f, std::uint64_t seed, const Visit* visit, std::span<float> out) {
    const double across = static_cast<double>(f.width) / picture.width, down = static_cast<double>(f.height) / picture.height;
    Placement at{.scale = f.fill * (f.cover ? std::max(across, down) : std::min(across, down))};
    if (visit) {
        const auto first = uniforms(seed, framing_stream, visit->number, 0), second = uniforms(seed, framing_stream, visit->number, 1);
        at.scale *= std::exp(f.zoom * (2 * first[0] - 1));
        at.dx = f.shift * (2 * first[1] - 1) * f.width, at.dy = f.shift * (2 * first[2] - 1) * f.height;
        at.angle = f.rotate * (2 * first[3] - 1) * std::numbers::pi / 180;
        at.mirrored = second[0] < f.mirror;
        if (second[1] < f.recolour)        // one of the five other orders
            for (int turn = std::min(static_cast<int>(second[2] * 5), 4); turn >= 0; --turn) std::next_permutation(at.channels.begin(), at.channels.end());
    }
    draw_placed(picture, at, f.width, f.height, f.background, out);
}

Framing Dataset::framing_of(std::int64_t index) const {
    Framing own = framing;
    if (buckets) {
        const FrameSize& size = buckets->sizes[buckets->of[static_cast<std::size_t>(items[static_cast<std::size_t>(index)])]];
        own.width = size.width, own.height = size.height;
    }
    return own;
}

std::vector<int> Dataset::groups() const {
    std::vector<int> all;
    if (buckets)
        for (const std::int64_t item : items) all.push_back(buckets->of[static_cast<std::size_t>(item)]);
    return all;
}

Tensor Dataset::pictures(std::span<const Visit> visits, std::uint64_t seed) const {
    return drawn(*this, visits.size(), [&](std::size_t i) { return visits[i].item; }, [&](std::size_t i) { return &visits[i]; }, seed);
}

Tensor Dataset::pictures(std::span<const std::int64_t> indices) const {
    return drawn(*this, indices.size(), [&](std::size_t i) { return indices[i]; }, [](std::size_t) { return nullptr; }, 0);
}

Tensor Dataset::masks(std::span<const Visit> visits, std::uint64_t seed) const {
    return drawn_masks(*this, visits.size(), [&](std::size_t i) { return visits[i].item; }, [&](std::size_t i) { return &visits[i]; }, seed);
}

Tensor Dataset::masks(std::span<const std::int64_t> indices) const {
    return drawn_masks(*this, indices.size(), [&](std::size_t i) { return indices[i]; }, [](std::size_t) { return nullptr; }, 0);
}

gpu::Hash Dataset::hash() const {
    gpu::Hasher hasher;
    hasher.add(source->hash()).add(gpu::hash_bytes(std::as_bytes(std::span(items))));
    const Framing& f = framing;
    hasher.add(gpu::format("{} {} {} {} {} {} {} {} {} {} {} {}", f.width, f.height, f.fill, f.cover, f.zoom, f.shift, f.rotate, f.mirror, f.recolour, f.background[0], f.background[1],
                           f.background[2]));
    if (buckets) {
        for (const FrameSize& size : buckets->sizes) hasher.add(size.width).add(size.height);
        for (const int group : groups()) hasher.add(group);
    }
    return hasher.finish();
}

Visit visit_at(std::uint64_t seed, std::uint64_t place, std::int64_t size) {
    gpu::check(size > 0, gpu::ErrorCode::InvalidGraph, "dataset: expected at least one item, got none");
    const std::uint64_t pass = place / static_cast<std::uint64_t>(size);
    // The last pass's order is kept: a walk asks for all places of a pass one after the other.
    struct Order {
        std::uint64_t seed = 0, pass = 0;
        std::vector<std::int64_t> items;
    };
    thread_local Order order;
    if (order.seed != seed || order.pass != pass || static_cast<std::int64_t>(order.items.size()) != size) {
        order = {seed, pass, std::vector<std::int64_t>(static_cast<std::size_t>(size))};
        std::iota(order.items.begin(), order.items.end(), std::int64_t{0});
        for (std::size_t i = order.items.size(); i > 1; --i) {      // Fisher and Yates
            const double drawn = uniforms(seed, order_stream, pass, static_cast<std::uint32_t>(i))[0];
            std::swap(order.items[i - 1], order.items[std::min(i - 1, static_cast<std::size_t>(drawn * static_cast<double>(i)))]);
        }
    }
    return {order.items[static_cast<std::size_t>(place % static_cast<std::uint64_t>(size))], place};
}

std::shared_ptr<const DatasetSource> memory_source(std::vector<std::string> captions, std::vector<std::shared_ptr<const Pixels>> pictures,
                                                   std::vector<std::shared_ptr<const Pixels>> masks) {
    gpu::check(captions.size() == pictures.size(), gpu::ErrorCode::InvalidGraph, "dataset: expected a caption for each of {} pictures, got {}", pictures.size(),
               captions.size());
    gpu::check(masks.empty() || masks.size() == pictures.size(), gpu::ErrorCode::InvalidGraph, "dataset: expected no masks or one for each of {} pictures, got {}",
               pictures.size(), masks.size());
    return std::make_shared<MemorySource>(std::move(captions), std::move(pictures), std::move(masks));
}

SocketType SocketTraits<Dataset>::describe() {
    return {.title = "Dataset", .colour = "#8064a2", .help = "Pictures with captions, to train on",
            .bytes = erased<Dataset>([](const Dataset& dataset) { return dataset.source->bytes() + dataset.items.size() * sizeof(std::int64_t); }),
            .summary = erased<Dataset>([](const Dataset& dataset) {
                if (dataset.buckets && dataset.buckets->sizes.size() > 1) return gpu::format("{} pictures, {} sizes", dataset.size(), dataset.buckets->sizes.size());
                const Framing f = dataset.size() > 0 ? dataset.framing_of(0) : dataset.framing;
                return gpu::format("{} pictures, {} x {}", dataset.size(), f.width, f.height);
            }),
            .preview = erased<Dataset>([](const Dataset& dataset, int max_side) {
                if (dataset.size() == 0) return QImage();
                const std::int64_t first[] = {0};
                return to_qimage(make_image(dataset.pictures(first)), max_side);
            }),
            .hash = erased<Dataset>([](const Dataset& dataset) { return dataset.hash(); })};
}

}  // namespace nodes
