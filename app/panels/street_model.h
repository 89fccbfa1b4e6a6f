// A street and the cameras that look at it, as two nodes of the graph hold them (nodes/core/direct_edit.h), what of it is chosen, and
// its edits. The views of the street editor share one.
#pragma once

#include <QKeyEvent>

#include "app/model/graph_model.h"
#include "nodes/types/camera.h"
#include "nodes/types/street.h"

namespace app {

class StreetModel : public QObject {
    Q_OBJECT

public:
    enum class Kind { None, Box, Lane, Camera };
    struct Choice {
        Kind kind = Kind::None;
        int index = -1;
        int point = -1;  // of a lane
        friend bool operator==(const Choice&, const Choice&) = default;
    };

    explicit StreetModel(GraphModel& model, QObject* parent = nullptr);

    // Takes the node and, where it is one of a street, the node of the other kind that the graph joins with it.
    void show_node(const NodeId& id);
    bool active() const { return !street_node_.empty() || !cameras_node_.empty(); }
    bool edits_street() const { return !street_node_.empty() && street_problem_.isEmpty(); }
    bool edits_cameras() const { return !cameras_node_.empty() && cameras_problem_.isEmpty(); }
    QString problem() const { return street_problem_.isEmpty() ? cameras_problem_ : street_problem_; }

    const nodes::Street& street() const { return street_; }
    const std::vector<nodes::Camera>& cameras() const { return cameras_; }
    nodes::Lanes lanes() const;
    const Choice& chosen() const { return chosen_; }
    void choose(const Choice& choice);
    void choose_next(int by);  // in the order boxes, lanes, cameras
    const nodes::StreetBox* chosen_box() const;
    const nodes::Lane* chosen_lane() const;
    const nodes::Camera* chosen_camera() const;

    // Edits; they do nothing where the text can not be edited. Values are rounded: centimetres and tenths of a degree.
    void add_box(std::size_t box_class, nodes::Point2 at, Gesture gesture = Gesture::none());
    void add_lane(const nodes::Lane& lane);
    // As the chosen camera is, or the last one, but there, and looking away from the car.
    void add_camera(nodes::Point2 at, Gesture gesture = Gesture::none());
    // Where the chosen camera is, turned to its left; where none is chosen, in the middle and looking ahead.
    void add_camera();
    bool may_add_camera() const { return edits_cameras() && cameras_.size() < nodes::max_cameras; }
    bool may_remove_chosen() const;
    void set_box(int index, nodes::StreetBox box, Gesture gesture = Gesture::none());
    void set_lane(int index, nodes::Lane lane, Gesture gesture = Gesture::none());
    void set_camera(int index, nodes::Camera camera, Gesture gesture = Gesture::none());
    // Of whatever is chosen. A lane moves as a whole, or its chosen point.
    void move_chosen(const nodes::Vec3& by, Gesture gesture = Gesture::none());
    void turn_chosen(double yaw, double pitch, Gesture gesture = Gesture::none());
    // The chosen point of a lane, else the whole thing.
    void remove_chosen();

    // What all views do with a key; false where it means nothing to them.
    bool key(const QKeyEvent& event);
    static bool wants_key(const QKeyEvent& event);

signals:
    void changed();        // the street or the cameras
    void chosen_changed();
    void active_changed();

private:
    enum class Role { None, Street, Cameras };
    Role role_of(const NodeId& id) const;
    NodeId partner_of(const NodeId& id, Role wanted) const;
    void refresh();
    void read();
    void write_street(Gesture gesture);
    void write_cameras(Gesture gesture);
    void keep_choice();
    void insert(nodes::Camera camera, Gesture gesture);

    GraphModel& model_;
    NodeId street_node_, cameras_node_;
    QString street_text_, cameras_text_, street_problem_, cameras_problem_;
    nodes::Street street_;
    std::vector<nodes::Camera> cameras_;
    Choice chosen_;
};

}  // namespace app
