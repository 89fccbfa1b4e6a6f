#include "nodes/street/views.h"

namespace nodes {
namespace {

struct StreetRender final : Node {
    StreetRender() : Node({.id = "street.render", .version = 1, .title = "Render Street", .category = "Street",
                           .help = "A plain picture of the street for each camera: sky, ground, what is painted on it, and boxes as solid bodies with windows and "
                                   "lights that tell front from back."}) {}

    In<Cameras>        cameras{this, "cameras", "The cameras that look at it"};
    In<Boxes>          boxes  {this, "boxes", "What stands on the street", {.optional = true}};
    In<Lanes>          lanes  {this, "lanes", "What is painted on it", {.optional = true}};
    Param<int>         width  {this, "width", "Width of each picture; cameras of other sides are cut from the top, and evenly from left and right",
                               {.initial = 400, .min = 16, .max = 4096, .step = 8, .unit = "px"}};
    Param<int>         height {this, "height", "Height of each picture", {.initial = 224, .min = 16, .max = 4096, .step = 8, .unit = "px"}};
    Param<int>         samples{this, "samples", "Samples of a pixel along each side; 1: hard edges", {.initial = 4, .min = 1, .max = 8}};
    Out<Image>         views  {this, "image", "A picture of each camera, RGB"};

    void compute(Eval& ev) const override {
        const Boxes things = boxes_or_none(ev, boxes);
        const Lanes paint = lanes_or_none(ev, lanes);
        // Drawn large and without smoothing, so that no seam shows between faces.
        ev.set(views, views_of(ev, ev[cameras], ev[width], ev[height], ev[samples], [&](QPainter& painter, const Projection& view, std::size_t) {
            draw_ground(painter, view, paint);
            draw_bodies(painter, view, *things.list);
        }));
    }
};

}  // namespace

REGISTER_NODE(street_render, StreetRender)

}  // namespace nodes
