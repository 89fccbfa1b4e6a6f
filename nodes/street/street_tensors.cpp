#include "nodes/core/node.h"
#include "nodes/street/views.h"
#include "nodes/types/tensor.h"

namespace nodes {
namespace {

struct StreetTensors final : Node {
    StreetTensors() : Node({.id = "street.tensors", .version = 1, .title = "Street as Tensors", .category = "Street",
                            .help = "Cameras and boxes as MagicDrive's network reads them: matrices of the cameras, and corners of the boxes that each camera sees."}) {}

    In<Cameras>        cameras{this, "cameras", "The cameras"};
    In<Boxes>          boxes  {this, "boxes", "What stands on the street", {.optional = true}};
    Param<Visibility>  filter {this, "filter", "Front: boxes with a corner in front of the camera. View: which also overlap its picture",
                               {.initial = Visibility::Front, .names = {"front", "view"}}};
    Param<bool>        lifted {this, "lifted", "Lifts corners by half the height of their box, as that network was trained; off: where they are", {.initial = true}};
    Param<int>         room   {this, "room", "Boxes a camera has room for; 0: as many as the one that sees most", {.initial = 0, .min = 0, .max = 1000}};
    Out<Tensor>        matrices{this, "matrices", "[1, cameras, 3, 7]: K, and three rows of cam2lidar"};
    Out<Tensor>        corners {this, "corners", "[1, cameras, room, 8, 3], metres; zeros where there is no box"};
    Out<Tensor>        classes {this, "classes", "[1, cameras, room]: numbers of classes, -1 where there is no box"};
    Out<Tensor>        masks   {this, "masks", "[1, cameras, room]: 1 where there is a box"};

    void compute(Eval& ev) const override {
        const std::vector<Camera>& rig = *ev[cameras].list;
        const Boxes things = boxes_or_none(ev, boxes);
        const auto count = static_cast<std::int64_t>(rig.size());
        std::vector<float> matrix;
        std::vector<std::vector<const StreetBox*>> seen;
        std::size_t most = 0;
        for (const Camera& camera : rig) {
            for (const float value : camera.parameters()) matrix.push_back(value);
            const Projection view(camera);
            seen.emplace_back();
            for (const StreetBox& box : *things.list)
                if (is_visible(view, box, ev[filter])) seen.back().push_back(&box);
            most = std::max(most, seen.back().size());
        }
        const int wanted = ev[room];
        if (wanted > 0 && most > static_cast<std::size_t>(wanted)) ev.warn("a camera sees {} boxes and has room for {}: the last ones are left out", most, wanted);
        const std::size_t length = std::max<std::size_t>(1, wanted > 0 ? static_cast<std::size_t>(wanted) : most);
        std::vector<float> places(rig.size() * length * 24), kinds(rig.size() * length, -1.0f), there(rig.size() * length);
        for (std::size_t c = 0; c < rig.size(); ++c)
            for (std::size_t i = 0; i < std::min(length, seen[c].size()); ++i) {
                const std::size_t at = c * length + i;
                kinds[at] = static_cast<float>(seen[c][i]->box_class), there[at] = 1;
                float* place = places.data() + at * 24;
                for (const Vec3& p : seen[c][i]->corners(ev[lifted] ? 0 : 0.5))
                    for (const double value : {p.x, p.y, p.z}) *place++ = static_cast<float>(value);
            }
        const auto seats = static_cast<std::int64_t>(length);
        ev.set(matrices, gpu::tensor(matrix, {1, count, 3, 7}));
        ev.set(corners, gpu::tensor(places, {1, count, seats, 8, 3}));
        ev.set(classes, gpu::tensor(kinds, {1, count, seats}));
        ev.set(masks, gpu::tensor(there, {1, count, seats}));
    }
};

}  // namespace

REGISTER_NODE(street_tensors, StreetTensors)

}  // namespace nodes
