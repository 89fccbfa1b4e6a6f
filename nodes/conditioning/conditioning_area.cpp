#include "gpu/ops.h"
#include "nodes/core/direct_edit.h"
#include "nodes/core/node.h"
#include "nodes/types/conditioning.h"

namespace nodes {
namespace {

struct ConditioningArea final : Node, DirectlyEdited {
    ConditioningArea() : Node({.id = "conditioning.area", .version = 1, .title = "Conditioning Area", .category = "Conditioning",
                              .help = "Limits a prompt to a rectangle of the picture, which is predicted on its own and fades in at its borders."}) {}

    enum class Unit { Share, Pixels };

    In<Conditioning>  conditioning{this, "conditioning", "What to limit"};
    Param<Unit>       unit    {this, "unit", "How the rectangle is given: in shares of the picture's sides, or in pixels", {.initial = Unit::Share, .names = {"share", "pixels"}}};
    Param<double>     x       {this, "x", "Left side", {.initial = 0, .min = 0, .max = 16384, .step = 0.05}};
    Param<double>     y       {this, "y", "Upper side", {.initial = 0, .min = 0, .max = 16384, .step = 0.05}};
    Param<double>     width   {this, "width", "Width", {.initial = 1, .min = 0, .max = 16384, .step = 0.05}};
    Param<double>     height  {this, "height", "Height", {.initial = 1, .min = 0, .max = 16384, .step = 0.05}};
    Param<double>     strength{this, "strength", "Weight of this prompt where others overlap, times the one that it has", {.initial = 1, .min = 0, .max = 10, .step = 0.05}};
    Out<Conditioning> limited {this, "conditioning", "The limited conditioning"};

    void compute(Eval& ev) const override {
        Conditioning made = ev[conditioning];
        if (ev[width] <= 0) ev.fail(width, "expected a width above 0, got {}", ev[width]);
        if (ev[height] <= 0) ev.fail(height, "expected a height above 0, got {}", ev[height]);
        for (ConditioningEntry& entry : made.entries) {
            entry.area = Area{ev[x], ev[y], ev[width], ev[height], ev[unit] == Unit::Share};
            entry.strength *= ev[strength];
        }
        ev.set(limited, std::move(made));
    }

    std::vector<DirectEdit> direct_edits() const override { return {BoxEdit{.unit = "unit", .share = "share"}}; }
};

}  // namespace

REGISTER_NODE(conditioning_area, ConditioningArea)

}  // namespace nodes
