#include "nodes/codec/libav/palette.h"

#include <algorithm>
#include <unordered_map>

namespace nodes::libav {
namespace {

constexpr std::uint8_t clear_entry = 255;
constexpr std::uint32_t opaque = 0xff000000;

using Color = std::array<int, 3>;

std::uint32_t packed(const std::uint8_t* rgb) {
    return std::uint32_t{rgb[0]} << 16 | std::uint32_t{rgb[1]} << 8 | rgb[2];
}

// How often colours occur, 5 bits a channel, with the sums that give a cell's mean.
struct Cell {
    std::array<std::int64_t, 3> sum{};
    std::int64_t count = 0;
    Color place{};  // 0..31
};

struct Box {
    std::span<Cell> cells;
    int axis = 0, extent = 0;
    std::int64_t count = 0;

    explicit Box(std::span<Cell> of) : cells(of) {
        for (const Cell& cell : cells) count += cell.count;
        for (int c = 0; c < 3; ++c) {
            const auto [low, high] =
                std::ranges::minmax_element(cells, {}, [c](const Cell& cell) { return cell.place[c]; });
            if (high->place[c] - low->place[c] > extent) axis = c, extent = high->place[c] - low->place[c];
        }
    }
    // What is lost by one colour for all of it.
    double weight() const { return static_cast<double>(count) * extent * extent; }
    std::uint32_t mean() const {
        std::uint32_t color = 0;
        for (int c = 0; c < 3; ++c) {
            std::int64_t sum = 0;
            for (const Cell& cell : cells) sum += cell.sum[c];
            color = color << 8 | static_cast<std::uint32_t>((sum + count / 2) / count);
        }
        return color;
    }
};

std::vector<Cell> histogram(std::span<const std::uint8_t> pixels, int channels) {
    std::vector<Cell> all(std::size_t{1} << 15);
    for (std::size_t at = 0; at < pixels.size(); at += channels) {
        const std::uint8_t* p = &pixels[at];
        if (channels == 4 && p[3] < 128) continue;
        Cell& cell = all[std::size_t{p[0]} >> 3 << 10 | std::size_t{p[1]} >> 3 << 5 | std::size_t{p[2]} >> 3];
        cell.place = {p[0] >> 3, p[1] >> 3, p[2] >> 3};
        ++cell.count;
        for (int c = 0; c < 3; ++c) cell.sum[c] += p[c];
    }
    std::erase_if(all, [](const Cell& cell) { return cell.count == 0; });
    return all;
}

std::vector<std::uint32_t> median_cut(std::vector<Cell> cells, std::size_t most) {
    std::vector<std::uint32_t> colors;
    if (cells.empty()) return colors;
    std::vector<Box> boxes{Box(cells)};
    while (boxes.size() < most) {
        const auto worst = std::ranges::max_element(boxes, {}, &Box::weight);
        if (worst->extent == 0) break;
        const std::span<Cell> inside = worst->cells;
        const int axis = worst->axis;
        std::ranges::stable_sort(inside, {}, [axis](const Cell& cell) { return cell.place[axis]; });
        // The middle of the pixels, moved so that no plane of cells is cut in two and neither side is empty.
        std::int64_t before = 0;
        std::size_t cut = 0;
        while (cut < inside.size() && before < (worst->count + 1) / 2) before += inside[cut++].count;
        while (cut < inside.size() && inside[cut].place[axis] == inside[cut - 1].place[axis]) ++cut;
        if (cut == inside.size())
            while (inside[cut - 1].place[axis] == inside.back().place[axis]) --cut;
        *worst = Box(inside.first(cut));
        boxes.emplace_back(inside.subspan(cut));
    }
    for (const Box& box : boxes) colors.push_back(box.mean());
    return colors;
}

// The nearest colour, remembered for 6 bits a channel.
class Nearest {
public:
    explicit Nearest(const std::vector<std::uint32_t>& colors) : colors_(colors), known_(std::size_t{1} << 18, -1) {}
    int operator()(const Color& color) {
        int& entry = known_[static_cast<std::size_t>(color[0] >> 2 << 12 | color[1] >> 2 << 6 | color[2] >> 2)];
        if (entry >= 0) return entry;
        int best = 1 << 30;
        for (std::size_t i = 0; i < colors_.size(); ++i) {
            int distance = 0;
            for (int c = 0; c < 3; ++c) {
                const int d = static_cast<int>(colors_[i] >> (16 - 8 * c) & 0xff) - color[c];
                distance += d * d;
            }
            if (distance < best) best = distance, entry = static_cast<int>(i);
        }
        return entry;
    }

private:
    const std::vector<std::uint32_t>& colors_;
    std::vector<int> known_;
};

void diffuse(std::span<const std::uint8_t> pixels, int width, int height, int channels,
             const std::vector<std::uint32_t>& colors, std::vector<std::uint8_t>& indices) {
    Nearest nearest(colors);
    std::vector<Color> here(static_cast<std::size_t>(width) + 2),
        below(here.size());  // sixteenths, one pixel of margin
    for (int y = 0; y < height; ++y) {
        std::swap(here, below);
        std::ranges::fill(below, Color{});
        for (int x = 0; x < width; ++x) {
            const std::size_t at =
                static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
            const std::uint8_t* p = &pixels[at * static_cast<std::size_t>(channels)];
            if (channels == 4 && p[3] < 128) continue;
            const std::size_t i = static_cast<std::size_t>(x) + 1;
            Color wanted;
            for (int c = 0; c < 3; ++c) wanted[c] = std::clamp(p[c] + (here[i][c] + 8) / 16, 0, 255);
            const int entry = nearest(wanted);
            indices[at] = static_cast<std::uint8_t>(entry);
            for (int c = 0; c < 3; ++c) {
                const int error =
                    wanted[c] - static_cast<int>(colors[static_cast<std::size_t>(entry)] >> (16 - 8 * c) & 0xff);
                here[i + 1][c] += 7 * error;
                below[i - 1][c] += 3 * error;
                below[i][c] += 5 * error;
                below[i + 1][c] += error;
            }
        }
    }
}

// False where there are more than 255 colours.
bool exact(std::span<const std::uint8_t> pixels, int channels, Paletted& out) {
    std::unordered_map<std::uint32_t, std::uint8_t> entries;
    for (std::size_t i = 0; i < out.indices.size(); ++i) {
        const std::uint8_t* p = &pixels[i * static_cast<std::size_t>(channels)];
        if (channels == 4 && p[3] < 128) continue;
        const auto [at, fresh] = entries.try_emplace(packed(p), static_cast<std::uint8_t>(entries.size()));
        if (fresh && entries.size() > clear_entry) return false;
        out.indices[i] = at->second;
        out.colors[at->second] = opaque | at->first;
    }
    out.used = entries.size();
    return true;
}

}  // namespace

Paletted paletted(std::span<const std::uint8_t> pixels, int width, int height, bool alpha) {
    const int channels = alpha ? 4 : 3;
    Paletted out;
    out.colors.fill(opaque);
    if (alpha) out.colors[clear_entry] = 0;
    out.indices.assign(pixels.size() / static_cast<std::size_t>(channels), clear_entry);
    if (exact(pixels, channels, out)) return out;
    const std::vector<std::uint32_t> colors = median_cut(histogram(pixels, channels), clear_entry);
    for (std::size_t i = 0; i < colors.size(); ++i) out.colors[i] = opaque | colors[i];
    out.used = colors.size();
    diffuse(pixels, width, height, channels, colors, out.indices);
    return out;
}

}  // namespace nodes::libav
