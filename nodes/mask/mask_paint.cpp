#include "gpu/base/error.h"
#include "gpu/ops.h"
#include "nodes/core/direct_edit.h"
#include "nodes/core/node.h"
#include "nodes/types/image.h"
#include "nodes/types/mask.h"
#include "nodes/types/strokes.h"

namespace nodes {
namespace {

struct MaskPaint final : Node, DirectlyEdited {
    MaskPaint() : Node({.id = "mask.paint", .version = 1, .title = "Paint Mask", .category = "Mask",
                        .help = "A mask painted by hand: select the node and draw on the picture in the viewer. White is what was painted."}) {}

    In<Image>          image  {this, "image", "The picture that is painted on: it gives the size, its content is not read", {.optional = true}};
    Param<std::string> strokes{this, "strokes", "What was drawn, as JSON: [{\"tool\": \"brush\", \"points\": [x, y, ...], \"radius\": 24, \"hardness\": 0.8, "
                                                "\"strength\": 1}, ...] in pixels; tools: brush, eraser, lasso, rectangle, ellipse, gradient, fill",
                               {.multiline = true}};
    Param<int>         width  {this, "width", "Width where no picture is connected", {.initial = 512, .min = 1, .max = 8192, .step = 8, .unit = "px"}};
    Param<int>         height {this, "height", "Height where no picture is connected", {.initial = 512, .min = 1, .max = 8192, .step = 8, .unit = "px"}};
    Param<bool>        invert {this, "invert", "Chooses what was not painted instead", {.initial = false}};
    Out<Mask>          mask   {this, "mask", "The painted mask"};

    void compute(Eval& ev) const override {
        const int w = ev.has(image) ? static_cast<int>(ev[image].width()) : ev[width];
        const int h = ev.has(image) ? static_cast<int>(ev[image].height()) : ev[height];
        std::vector<Stroke> list;
        try {
            list = parse_strokes(QByteArray::fromStdString(ev[strokes]));
        } catch (const gpu::Error& error) {
            ev.fail(strokes, "{}", error.what());
        }
        const MaskPixels drawn = draw_strokes(list, w, h, [&ev] { ev.check_cancelled(); });
        const Tensor painted = gpu::tensor(drawn.values, {1, 1, h, w});
        ev.set(mask, evaluated(make_mask(ev[invert] ? 1.0 - painted : painted)));
    }

    std::vector<DirectEdit> direct_edits() const override { return {StrokesEdit{.picture = "image"}}; }
};

}  // namespace

REGISTER_NODE(mask_paint, MaskPaint)

}  // namespace nodes
