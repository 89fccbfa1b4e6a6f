// Keypoints of people, dragged on the picture; a drag is one undo step. The right button hides a point and shows it again.
#pragma once

#include "app/model/graph_model.h"
#include "app/panels/picture_tool.h"
#include "nodes/core/direct_edit.h"
#include "nodes/types/pose.h"

namespace app {

class PoseTool : public PictureTool {
    Q_OBJECT

public:
    PoseTool(GraphModel& model, NodeId node, nodes::PoseEdit edit, QObject* parent = nullptr);

    void set_size(QSize size) { size_ = size; }  // of the picture that is shown
    void refresh();
    QString problem() const { return problem_; }
    // The size that the keypoints belong to; empty where the pose does not say.
    QSize canvas() const;
    int people() const { return static_cast<int>(frame_.people.size()); }
    // A standing person in the middle, of OpenPose's 18 or 25 points.
    void add_person(nodes::Skeleton skeleton);
    void remove_person();  // the one that was touched last
    QPointF position(int person, int point) const;  // in pixels of the picture

    bool press(QPointF at, const QMouseEvent& event) override;
    void drag(QPointF at, const QMouseEvent& event) override;
    void release(QPointF at, const QMouseEvent& event) override;
    void hover(QPointF at) override;
    void paint(QPainter& painter, const PictureView& view) const override;
    Qt::CursorShape cursor(QPointF at) const override;

signals:
    void refreshed();

private:
    // Body, left hand, right hand, face.
    static constexpr int parts = 4;
    struct Place {
        int person = -1, part = 0, point = 0;
        friend bool operator==(const Place&, const Place&) = default;
    };
    static std::vector<nodes::Keypoint>& points(nodes::Person& person, int part);
    static const std::vector<nodes::Keypoint>& points(const nodes::Person& person, int part) { return points(const_cast<nodes::Person&>(person), part); }
    nodes::Keypoint& at_place(const Place& place) { return points(frame_.people[static_cast<std::size_t>(place.person)], place.part)[static_cast<std::size_t>(place.point)]; }
    std::optional<Place> place_at(QPointF at) const;
    QPointF to_picture(const nodes::Keypoint& point) const;
    double scale_x() const { return frame_.width > 0 && !size_.isEmpty() ? size_.width() / frame_.width : 1; }
    double scale_y() const { return frame_.height > 0 && !size_.isEmpty() ? size_.height() / frame_.height : 1; }
    void write(Gesture gesture);

    GraphModel& model_;
    NodeId node_;
    nodes::PoseEdit edit_;
    QSize size_;
    std::vector<nodes::PoseFrame> later_;  // frames after the first, which is the one that is edited
    nodes::PoseFrame frame_;
    QString text_;
    QString problem_;
    std::optional<Place> dragged_, hovered_;
    int touched_ = 0;
    bool moved_ = false;
    Gesture gesture_;
};

}  // namespace app
