#include <algorithm>
#include <iterator>
#include <cmath>
#include <numbers>
#include <vector>

#include "gpu/base/philox.h"
#include "nodes/core/node.h"
#include "nodes/types/dataset.h"
#include "nodes/types/placed_picture.h"

namespace nodes {
namespace {

constexpr std::uint32_t moving_stream = 0x6d6f7669;

struct Move {
    const char* name;
    double dx = 0, dy = 0;      // from one side to the other, in shares of the frame
    double grow = 0;            // logarithm of the change of size
    double turns = 0;
    double bounce = 0, swing = 0;
};
constexpr Move moves[] = {{"moving to the right", 0.5}, {"moving to the left", -0.5}, {"rising", 0, -0.5}, {"falling", 0, 0.5}, {"growing", 0, 0, 0.9},
                          {"shrinking", 0, 0, -0.9}, {"spinning", 0, 0, 0, 1}, {"bouncing", 0, 0, 0, 0, 0.3}, {"swinging", 0, 0, 0, 0, 0, 0.6}};

// Pictures of another source that move: clip after clip, the frames of each in order.
class MovingSource final : public DatasetSource {
public:
    MovingSource(Dataset of, std::uint64_t seed, std::int64_t clips, int frames, int side) : of_(std::move(of)), seed_(seed), clips_(clips), frames_(frames), side_(side) {}
    std::int64_t size() const override { return clips_ * frames_; }
    std::string caption(std::int64_t item) const override {
        const Clip clip = clip_at(item / frames_);
        return gpu::format("{}, {}", of_.caption(clip.index), clip.move->name);
    }
    std::shared_ptr<const Pixels> picture(std::int64_t item) const override {
        const Clip clip = clip_at(item / frames_);
        const auto what = of_.source->picture(of_.items[static_cast<std::size_t>(clip.index)]);
        const Move& m = *clip.move;
        const double t = frames_ > 1 ? static_cast<double>(item % frames_) / (frames_ - 1) - 0.5 : 0;      // -0.5 ... 0.5
        Placement at{.scale = clip.size * side_ / std::max(what->width, what->height) * std::exp(m.grow * t)};
        at.dx = side_ * (m.dx * t + clip.x * (m.dx == 0)), at.dy = side_ * (m.dy * t + clip.y * (m.dy == 0 && m.bounce == 0));
        at.dy += side_ * m.bounce * (0.5 - std::abs(std::sin((t + 0.5) * 2 * std::numbers::pi)));      // two bounces
        at.angle = 2 * std::numbers::pi * m.turns * (t + 0.5) + m.swing * std::sin((t + 0.5) * 2 * std::numbers::pi);
        std::vector<float> drawn(static_cast<std::size_t>(3 * side_ * side_));
        draw_placed(*what, at, side_, side_, clip.background, drawn);
        const std::vector<std::uint8_t> planes = quantised(drawn);
        auto made = std::make_shared<Pixels>(Pixels{side_, side_, std::vector<std::uint8_t>(static_cast<std::size_t>(4 * side_ * side_), 255)});
        const std::size_t plane = planes.size() / 3;
        for (std::size_t i = 0; i < plane; ++i)
            for (std::size_t c = 0; c < 3; ++c) made->rgba[4 * i + c] = planes[c * plane + i];
        return made;
    }
    gpu::Hash hash() const override { return gpu::Hasher().add("moving 1").add(of_.hash()).add(seed_).add(clips_).add(frames_).add(side_).finish(); }
    std::size_t bytes() const override { return of_.source->bytes(); }

private:
    struct Clip {
        std::int64_t index;
        const Move* move;
        double size, x, y;
        float background[3];
    };
    // Each picture in turn, so that a dataset of as many clips as pictures shows each of them once.
    Clip clip_at(std::int64_t clip) const {
        const auto words = [&](std::uint32_t block) {
            return gpu::philox({static_cast<std::uint32_t>(clip), static_cast<std::uint32_t>(clip >> 32), block, moving_stream}, seed_);
        };
        const gpu::PhiloxCounter a = words(0), b = words(1);
        const auto share = [](std::uint32_t word) { return word * 0x1p-32; };
        Clip made{clip % of_.size(), &moves[static_cast<std::size_t>(share(a[0]) * std::size(moves))], 0.35 + 0.15 * share(a[1]), 0.2 * share(a[2]) - 0.1, 0.2 * share(a[3]) - 0.1, {}};
        for (std::size_t c = 0; c < 3; ++c) made.background[c] = static_cast<float>(0.75 + 0.25 * share(b[c]));
        return made;
    }

    Dataset of_;
    std::uint64_t seed_;
    std::int64_t clips_;
    int frames_, side_;
};

struct DatasetMoving final : Node {
    DatasetMoving() : Node({.id = "dataset.moving", .version = 1, .title = "Moving Pictures", .category = "Dataset",
                            .help = "Drawn clips in which the pictures of a dataset (emoji, icons) move, rise, grow, spin, bounce or swing over a pale ground, with a caption that says so. "
                                    "Frame i is picture i modulo \"frames\" of clip i / \"frames\": Pictures of Dataset and Video from Frames show a clip. Seed and number decide."}) {}

    In<Dataset>  pictures{this, "pictures", "What moves; transparent around it"};
    Param<int>   clips {this, "clips", "How many; they take the pictures in turn", {.initial = 64, .min = 1, .max = 1000000}};
    Param<int>   frames{this, "frames", "Of each clip", {.initial = 16, .min = 1, .max = 1024}};
    Param<int>   side  {this, "side", "Of the square frames", {.initial = 64, .min = 16, .max = 1024, .unit = "px"}};
    Param<Seed>  seed  {this, "seed", "Of how they move", {}};
    Out<Dataset> dataset{this, "dataset", "All frames, with the caption of their clip"};

    void compute(Eval& ev) const override {
        if (ev[pictures].size() == 0) ev.fail(pictures, "expected pictures, got an empty dataset");
        Dataset made{.source = std::make_shared<const MovingSource>(ev[pictures], ev[seed], ev[clips], ev[frames], ev[side]), .items = {},
                     .framing = {.width = ev[side], .height = ev[side], .fill = 1}};
        for (std::int64_t i = 0; i < made.source->size(); ++i) made.items.push_back(i);
        ev.set(dataset, made);
    }
};

}  // namespace

REGISTER_NODE(dataset_moving, DatasetMoving)

}  // namespace nodes
