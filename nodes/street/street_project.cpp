#include "gpu/ops.h"
#include "nodes/street/views.h"

namespace nodes {
namespace {

struct StreetProject final : Node {
    StreetProject() : Node({.id = "street.project", .version = 1, .title = "Project Street", .category = "Street",
                            .help = "Edges of boxes and lines of lanes as each camera sees them, from far to near, on black or on pictures. A short line from each "
                                    "box points ahead."}) {}

    In<Cameras>        cameras{this, "cameras", "The cameras that look at it"};
    In<Boxes>          boxes  {this, "boxes", "What stands on the street", {.optional = true}};
    In<Lanes>          lanes  {this, "lanes", "What is painted on it", {.optional = true}};
    In<Image>          under  {this, "image", "Pictures to draw on, one for each camera, resized", {.optional = true}};
    Param<int>         width  {this, "width", "Width of each picture; cameras of other sides are cut from the top, and evenly from left and right",
                               {.initial = 400, .min = 16, .max = 4096, .step = 8, .unit = "px"}};
    Param<int>         height {this, "height", "Height of each picture", {.initial = 224, .min = 16, .max = 4096, .step = 8, .unit = "px"}};
    Param<double>      line   {this, "line", "Thickness of lines", {.initial = 2, .min = 0.5, .max = 64, .step = 0.5, .unit = "px"}};
    Param<Visibility>  filter {this, "filter", "Front: boxes with a corner in front of the camera. View: which also overlap its picture",
                               {.initial = Visibility::Front, .names = {"front", "view"}}};
    Out<Image>         views  {this, "image", "A picture of each camera, RGB"};

    void compute(Eval& ev) const override {
        const Cameras& rig = ev[cameras];
        const Boxes things = boxes_or_none(ev, boxes);
        const Lanes paint = lanes_or_none(ev, lanes);
        const int w = ev[width], h = ev[height];
        const double thickness = ev[line];
        const Visibility seen = ev[filter];
        std::vector<QImage> pictures;
        if (ev.has(under)) {
            const Image& below = ev[under];
            const auto count = static_cast<std::int64_t>(rig.list->size());
            if (below.batch() != count && below.batch() != 1) ev.fail(under, "expected a picture for each of {} cameras, got {}", count, below.batch());
            for (std::int64_t i = 0; i < below.batch(); ++i) {
                const Image one{gpu::slice(below.tensor, 0, i, i + 1), below.space};
                pictures.push_back(to_qimage(one, static_cast<int>(std::max(one.width(), one.height()))).scaled(w, h, Qt::IgnoreAspectRatio, Qt::SmoothTransformation));
            }
        }
        ev.set(views, views_of(ev, rig, w, h, 1, [&](QPainter& painter, const Projection& view, std::size_t i) {
            if (!pictures.empty()) painter.drawImage(0, 0, pictures[std::min(i, pictures.size() - 1)]);
            painter.setRenderHint(QPainter::Antialiasing);
            draw_wires(painter, view, *things.list, paint, seen, thickness);
        }));
    }
};

}  // namespace

REGISTER_NODE(street_project, StreetProject)

}  // namespace nodes
