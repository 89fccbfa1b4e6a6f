#include "nodes/core/direct_edit.h"
#include "nodes/core/node.h"
#include "nodes/types/street.h"

namespace nodes {
namespace {

struct StreetScene final : Node, DirectlyEdited {
    StreetScene() : Node({.id = "street.scene", .version = 1, .title = "Street", .category = "Street",
                          .help = "A street: boxes of cars, people and other things, and what is painted on the road. In the editor it is drawn and seen by the "
                                  "cameras that look at it."}) {}

    Param<std::string> scene{this, "scene", "Boxes and lanes as JSON: {\"boxes\": [{\"class\": \"car\", \"center\": [0, 10], \"yaw\": 90}], \"lanes\": "
                                            "[{\"class\": \"lane_divider\", \"points\": [-2, -50, -2, 50]}]}; metres, x to the right and y forward",
                             {.multiline = true}};
    Out<Boxes>         boxes{this, "boxes", "What stands on it"};
    Out<Lanes>         lanes{this, "lanes", "What is painted on it"};

    void compute(Eval& ev) const override {
        try {
            Street street = parse_street(QByteArray::fromStdString(ev[scene]));
            ev.set(boxes, {std::make_shared<const std::vector<StreetBox>>(std::move(street.boxes))});
            ev.set(lanes, {std::make_shared<const std::vector<Lane>>(std::move(street.lanes)), street.ground});
        } catch (const gpu::Error& error) {
            ev.fail(scene, "{}", error.what());
        }
    }

    std::vector<DirectEdit> direct_edits() const override { return {StreetEdit{.scene = "scene"}}; }
};

}  // namespace

REGISTER_NODE(street_scene, StreetScene)

}  // namespace nodes
