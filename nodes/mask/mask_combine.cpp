#include "gpu/ops.h"
#include "nodes/core/node.h"
#include "nodes/types/mask.h"

namespace nodes {
namespace {

enum class Mode { Union, Intersection, Subtract, Exclusive, Multiply, Add };

struct MaskCombine final : Node {
    MaskCombine() : Node({.id = "mask.combine", .version = 1, .title = "Combine Masks", .category = "Mask",
                          .help = "Makes one mask of two of the same size."}) {}

    In<Mask>    a   {this, "a", "One mask"};
    In<Mask>    b   {this, "b", "The other one"};
    Param<Mode> mode{this, "mode", "Union: in either, the greater value. Intersection: in both, the smaller one. Subtract: in a but not in b. Exclusive: in one "
                                   "alone. Multiply and add: the numbers, cut at 1",
                     {.initial = Mode::Union, .names = {"union", "intersection", "subtract", "exclusive", "multiply", "add"}}};
    Out<Mask>   both{this, "mask", "The combination"};

    void compute(Eval& ev) const override {
        const Mask &first = ev[a], &second = ev[b];
        if (first.width() != second.width() || first.height() != second.height())
            ev.fail(b, "expected the first mask's size {} x {}, got {} x {}", first.width(), first.height(), second.width(), second.height());
        if (first.batch() != second.batch() && first.batch() != 1 && second.batch() != 1)
            ev.fail(b, "expected 1 or {} masks, got {}", first.batch(), second.batch());
        ev.set(both, evaluated(make_mask(gpu::clamp(combined(ev[mode], first.tensor, second.tensor), 0, 1))));
    }

    static Tensor combined(Mode mode, const Tensor& x, const Tensor& y) {
        switch (mode) {
            case Mode::Union: return gpu::maximum(x, y);
            case Mode::Intersection: return gpu::minimum(x, y);
            case Mode::Subtract: return gpu::minimum(x, 1.0 - y);
            case Mode::Exclusive: return gpu::abs(x - y);
            case Mode::Multiply: return x * y;
            case Mode::Add: return x + y;
        }
        return x;
    }
};

}  // namespace

REGISTER_NODE(mask_combine, MaskCombine)

}  // namespace nodes
