#include "nodes/core/node.h"
#include "nodes/dataset/stick_figures.h"
#include "nodes/types/dataset.h"

namespace nodes {
namespace {

// Drawn when they are asked for.
class FigureSource final : public DatasetSource {
public:
    FigureSource(std::uint64_t seed, std::int64_t count, int side, bool masks) : seed_(seed), count_(count), side_(side), masks_(masks) {}
    std::int64_t size() const override { return count_; }
    std::string caption(std::int64_t item) const override { return StickFigure(seed_, item).caption(); }
    std::shared_ptr<const Pixels> picture(std::int64_t item) const override { return std::make_shared<const Pixels>(StickFigure(seed_, item).draw(side_)); }
    std::shared_ptr<const Pixels> mask(std::int64_t item) const override {
        return masks_ ? std::make_shared<const Pixels>(StickFigure(seed_, item).mask(side_)) : nullptr;
    }
    bool has_masks() const override { return masks_; }
    gpu::Hash hash() const override { return gpu::Hasher().add("stick figures 1").add(seed_).add(count_).add(side_).add(masks_).finish(); }

private:
    std::uint64_t seed_;
    std::int64_t count_;
    int side_;
    bool masks_;
};

struct DatasetStickFigures final : Node {
    DatasetStickFigures() : Node({.id = "dataset.stick_figures", .version = 1, .title = "Stick Figures", .category = "Dataset",
                                  .help = "Drawn scenes of one person who stands, waves, walks, runs, jumps, with a caption that says so and the keypoints of the body. Needs no files: "
                                          "seed and number decide a scene, and more of them leave the first ones as they are."}) {}

    Param<int>   count{this, "count", "How many scenes", {.initial = 512, .min = 1, .max = 1000000}};
    Param<int>   side {this, "side", "Of the square pictures", {.initial = 128, .min = 16, .max = 2048, .unit = "px"}};
    Param<bool>  masks{this, "masks", "Each with the figure as its mask, for losses that count there", {.initial = false}};
    Param<Seed>  seed {this, "seed", "Of the scenes", {}};
    Out<Dataset> dataset{this, "dataset", "Pictures with captions"};
    Out<Pose>    pose {this, "pose", "The keypoints (COCO-18), a frame for each picture"};

    void compute(Eval& ev) const override {
        Dataset made{.source = std::make_shared<const FigureSource>(ev[seed], ev[count], ev[side], ev[masks]), .items = {}, .framing = {.width = ev[side], .height = ev[side], .fill = 1}};
        auto frames = std::make_shared<std::vector<PoseFrame>>();
        for (std::int64_t i = 0; i < ev[count]; ++i) {
            made.items.push_back(i);
            PoseFrame frame{.width = static_cast<double>(ev[side]), .height = static_cast<double>(ev[side]), .people = {StickFigure(ev[seed], i).person()}};
            for (Keypoint& point : frame.people[0].body) point.x *= frame.width, point.y *= frame.height;
            frames->push_back(std::move(frame));
        }
        ev.set(dataset, made);
        ev.set(pose, Pose{frames});
    }
};

}  // namespace

REGISTER_NODE(dataset_stick_figures, DatasetStickFigures)

}  // namespace nodes
