#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/conditioning.h"

namespace nodes {
namespace {

struct ConditioningSize final : Node {
    ConditioningSize() : Node({.id = "conditioning.size", .version = 1, .title = "Conditioning Size", .category = "Conditioning",
                              .help = "The size conditioning of SDXL: of which size the picture is said to have been, and how it was cropped."}) {}

    In<Conditioning>  conditioning{this, "conditioning", "What to extend"};
    Param<int>        width        {this, "width", "Original width; 0: that of the picture that is made", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<int>        height       {this, "height", "Original height; 0: that of the picture that is made", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<int>        left         {this, "left", "Columns that were cropped away at the left", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<int>        top          {this, "top", "Rows that were cropped away at the top", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<int>        target_width {this, "target_width", "Width after cropping; 0: that of the picture that is made", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<int>        target_height{this, "target_height", "Height after cropping; 0: that of the picture that is made", {.initial = 0, .min = 0, .max = 16384, .unit = "px"}};
    Param<double>     aesthetic    {this, "aesthetic", "Aesthetic score, which SDXL's refiner reads in place of the target size", {.initial = 6, .min = 0, .max = 10, .step = 0.5}};
    Out<Conditioning> sized        {this, "conditioning", "The same with these sizes"};

    void compute(Eval& ev) const override {
        Conditioning made = ev[conditioning];
        for (ConditioningEntry& entry : made.entries)
            entry.size = {.height = double(ev[height]), .width = double(ev[width]), .top = double(ev[top]), .left = double(ev[left]),
                          .target_height = double(ev[target_height]), .target_width = double(ev[target_width]), .aesthetic = ev[aesthetic]};
        ev.set(sized, std::move(made));
    }
};

}  // namespace

REGISTER_NODE(conditioning_size, ConditioningSize)

}  // namespace nodes
