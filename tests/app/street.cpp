// Streets and their cameras, edited with the mouse and keys in the real widgets.
#include <QDoubleSpinBox>
#include <QToolButton>

#include "app/panels/street_editor.h"
#include "tests/app/editor_fixture.h"

using namespace app;
using Kind = StreetModel::Kind;

namespace {

const char* const two_cars = R"({"boxes": [{"class": "car", "center": [10, 20], "yaw": 90}, {"class": "car", "center": [-10, 30], "yaw": 0}],
    "lanes": [{"class": "lane_divider", "points": [0, -20, 0, 0, 0, 20]}]})";

struct Hands {
    tests::Editor e;
    ViewerPanel& viewer = e.window.viewer();
    StreetEditor& editor = *viewer.street();
    StreetModel& street = editor.street();
    StreetPlan& plan = *editor.plan();
    StreetSpace& space = *editor.space();
    NodeId scene, rig, render;

    // A street, cameras and what draws them; the node of the street is selected.
    explicit Hands(const char* json) {
        scene = e.model.add_node("street.scene", {}), rig = e.model.add_node("camera.rig", {0, 200}), render = e.model.add_node("street.render", {300, 0});
        e.model.connect_sockets({scene, "boxes", true}, {render, "boxes", false});
        e.model.connect_sockets({scene, "lanes", true}, {render, "lanes", false});
        e.model.connect_sockets({rig, "cameras", true}, {render, "cameras", false});
        if (*json) e.model.set_param(scene, "scene", QString::fromUtf8(json));
        e.scene.select({scene});
        QCoreApplication::processEvents();      // the editor takes its place
        plan.fit();
    }
    int steps() const { return e.model.undo_stack().index(); }
    nodes::Street kept() const { return nodes::parse_street(e.model.param(scene, "scene").toString().toUtf8()); }
    std::vector<nodes::Camera> cameras() const { return nodes::parse_cameras(e.model.param(rig, "cameras").toString().toUtf8()); }

    static void send(QWidget& to, QEvent::Type type, QPointF at, Qt::MouseButton button, Qt::MouseButtons held, Qt::KeyboardModifiers keys = {}) {
        QMouseEvent event(type, at, to.mapToGlobal(at), button, held, keys);
        QApplication::sendEvent(&to, &event);
    }
    static void drag(QWidget& in, QPointF from, QPointF to, Qt::MouseButton button = Qt::LeftButton, Qt::KeyboardModifiers keys = {}) {
        send(in, QEvent::MouseButtonPress, from, button, button, keys);
        for (int i = 1; i <= 4; ++i) send(in, QEvent::MouseMove, from + (to - from) * i / 4, Qt::NoButton, button, keys);
        send(in, QEvent::MouseButtonRelease, to, button, Qt::NoButton, keys);
    }
    static void click(QWidget& in, QPointF at, Qt::MouseButton button = Qt::LeftButton) { drag(in, at, at, button); }
    QPointF at(double x, double y) const { return plan.to_widget({x, y}); }
    void press(const char* button) { QTest::mouseClick(viewer.findChild<QToolButton*>(QString::fromLatin1(button)), Qt::LeftButton); }
    QDoubleSpinBox* field(const char* name) { return viewer.findChild<QDoubleSpinBox*>(QString::fromLatin1(name)); }
};

bool near(double a, double b, double by) { return std::abs(a - b) <= by; }

}  // namespace

class StreetEditorTest : public QObject {
    Q_OBJECT

private slots:
    void takes_the_place_of_the_picture() {
        Hands h(two_cars);
        QVERIFY(h.editor.isVisible() && !h.viewer.picture()->isVisible());
        QCOMPARE(h.street.street().boxes.size(), std::size_t(2));
        QCOMPARE(h.street.cameras().size(), std::size_t(6));
        h.e.scene.select({h.rig});      // the same street with its cameras
        QVERIFY(h.editor.isVisible());
        QCOMPARE(h.street.street().boxes.size(), std::size_t(2));
        QVERIFY(h.street.chosen_camera());
        h.e.scene.select({h.render});
        QVERIFY(!h.editor.isVisible() && h.viewer.picture()->isVisible());
        h.e.scene.select({h.scene});
        h.e.model.remove({h.scene});
        QVERIFY(h.street.active() && !h.street.edits_street());      // its cameras are left
        h.e.model.remove({h.rig});
        QVERIFY(!h.editor.isVisible());
        h.e.trigger("undo");
        h.e.trigger("undo");
        h.e.scene.select({h.scene});
        QCOMPARE(h.street.street().boxes.size(), std::size_t(2));
    }

    void boxes_are_moved_turned_and_resized() {
        Hands h(two_cars);
        const int before = h.steps();
        Hands::drag(h.plan, h.at(10, 20), h.at(15, 22));
        QCOMPARE(h.steps(), before + 1);
        QVERIFY(near(h.kept().boxes[0].center.x, 15, 0.3) && near(h.kept().boxes[0].center.y, 22, 0.3));
        QVERIFY(near(h.kept().boxes[1].center.x, -10, 1e-9) && h.kept().boxes[1].yaw == 0);
        // Turned by its handle, to the right.
        const nodes::StreetBox& box = h.street.street().boxes[0];
        Hands::drag(h.plan, *h.plan.turn_handle(), h.at(box.center.x + 30, box.center.y));
        QCOMPARE(h.steps(), before + 2);
        QVERIFY(near(h.kept().boxes[0].yaw, 0, 1.01));
        // Made longer at its front; its back stays.
        const nodes::StreetBox now = h.kept().boxes[0];
        const double back = now.center.x - now.size.length / 2;
        h.plan.zoom_by(4, h.at(now.center.x, now.center.y));
        const QPointF front = h.plan.side_handles()[0];
        Hands::drag(h.plan, front, front + QPointF(2 * h.plan.zoom(), 0));
        QCOMPARE(h.steps(), before + 3);
        QVERIFY(near(h.kept().boxes[0].size.length, now.size.length + 2, 0.06));
        QVERIFY(near(h.kept().boxes[0].center.x - h.kept().boxes[0].size.length / 2, back, 0.06));
        for (int i = 0; i < 3; ++i) h.e.trigger("undo");
        QVERIFY(h.street.street() == nodes::parse_street(two_cars));
        QCOMPARE(h.e.model.param(h.scene, "scene").toString(), QString::fromUtf8(two_cars));
    }

    void boxes_are_added_and_removed() {
        Hands h("");
        h.press("street_box");
        auto* choice = h.viewer.findChild<QComboBox*>("street_class");
        choice->setCurrentIndex(choice->findText("bus"));
        emit choice->activated(choice->currentIndex());
        Hands::click(h.plan, h.at(5, 10));
        Hands::click(h.plan, h.at(-5, -10));
        QCOMPARE(h.steps(), 8);      // three nodes, three wires, two boxes
        const nodes::Street made = h.kept();
        QCOMPARE(made.boxes.size(), std::size_t(2));
        QCOMPARE(nodes::box_classes()[made.boxes[0].box_class], std::string("bus"));
        QVERIFY(near(made.boxes[0].center.x, 5, 0.2) && near(made.boxes[1].center.y, -10, 0.2));
        QVERIFY(near(made.boxes[0].center.z - made.boxes[0].size.height / 2, -1.84, 0.011));      // on its wheels
        QTest::keyClick(&h.plan, Qt::Key_Escape);
        QCOMPARE(h.plan.tool(), StreetPlan::Tool::Select);
        // Another class, with its size.
        choice->setCurrentIndex(choice->findText("pedestrian"));
        emit choice->activated(choice->currentIndex());
        QVERIFY(h.kept().boxes[1].size == nodes::usual_size(8));
        QTest::keyClick(&h.plan, Qt::Key_Delete);
        QCOMPARE(h.kept().boxes.size(), std::size_t(1));
        h.e.trigger("undo");
        QCOMPARE(h.street.street().boxes.size(), std::size_t(2));
        h.e.trigger("run");
        QVERIFY(h.e.wait_for_run());
        QVERIFY(h.e.window.runs().status(h.scene).state != nodes::NodeState::Failed);
    }

    void lanes_are_drawn_and_edited() {
        Hands h("");
        h.press("street_lane");
        const int before = h.steps();
        for (const QPointF& p : {h.at(-10, -20), h.at(-10, 0), h.at(10, 20), h.at(30, 30)}) Hands::click(h.plan, p);
        Hands::click(h.plan, h.at(0, 0), Qt::RightButton);      // takes the last one back
        QCOMPARE(h.plan.draft().size(), std::size_t(3));
        QCOMPARE(h.steps(), before);
        QTest::keyClick(&h.plan, Qt::Key_Return);
        QCOMPARE(h.steps(), before + 1);
        QCOMPARE(h.kept().lanes.size(), std::size_t(1));
        QCOMPARE(nodes::lane_classes()[h.kept().lanes[0].lane_class], std::string("lane_divider"));
        h.press("street_select");
        // A point is dragged, one is put in by a double click, and taken away by the right button.
        Hands::drag(h.plan, h.at(-10, 0), h.at(-20, 5));
        QVERIFY(near(h.kept().lanes[0].points[1].x, -20, 0.3) && near(h.kept().lanes[0].points[0].x, -10, 0.3));
        Hands::send(h.plan, QEvent::MouseButtonDblClick, h.at(-15, -7.5), Qt::LeftButton, Qt::LeftButton);
        QCOMPARE(h.kept().lanes[0].points.size(), std::size_t(4));
        Hands::click(h.plan, h.at(h.kept().lanes[0].points[1].x, h.kept().lanes[0].points[1].y), Qt::RightButton);
        QCOMPARE(h.kept().lanes[0].points.size(), std::size_t(3));
        QCOMPARE(h.steps(), before + 4);
        // A line does not lose its last two points; its width makes it a band.
        h.field("street_width")->setValue(3.5);
        QCOMPARE(h.kept().lanes[0].width, 3.5);
    }

    void cameras_are_moved_and_turned_from_above() {
        Hands h(two_cars);
        h.plan.zoom_by(10, h.at(0, 0));
        const nodes::Camera front = h.street.cameras()[1];
        const int before = h.steps();
        Hands::drag(h.plan, h.at(front.position.x, front.position.y), h.at(front.position.x + 1, front.position.y + 2));
        QCOMPARE(h.steps(), before + 1);
        QCOMPARE(h.cameras().size(), std::size_t(6));      // all of the usual ones are written
        QVERIFY(near(h.cameras()[1].position.x, 1, 0.06) && near(h.cameras()[1].position.y, 2.76, 0.06) && h.cameras()[1].position.z == front.position.z);
        const nodes::Camera now = h.cameras()[1];
        Hands::drag(h.plan, *h.plan.turn_handle(), h.at(now.position.x + 2, now.position.y + 2));
        QVERIFY(near(h.cameras()[1].yaw, 45, 1.01));
        QCOMPARE(h.steps(), before + 2);
        for (int i = 0; i < 2; ++i) h.e.trigger("undo");
        QVERIFY(h.street.cameras() == nodes::default_cameras());
    }

    void cameras_are_added_and_removed() {
        Hands h(two_cars);
        const int before = h.steps();
        h.press("street_camera");
        QCOMPARE(h.plan.tool(), StreetPlan::Tool::Camera);
        // A press puts one that looks away from the car; a drag says where it looks. Each is one step.
        Hands::click(h.plan, h.at(-20, 0));
        QCOMPARE(h.steps(), before + 1);
        QCOMPARE(h.cameras().size(), std::size_t(7));
        nodes::Camera made = h.cameras()[6];
        QVERIFY(near(made.position.x, -20, 0.2) && near(made.position.y, 0, 0.2) && near(std::abs(made.yaw), 180, 1.5));
        QCOMPARE(made.name, std::string("camera7"));
        QVERIFY(made.fx == nodes::default_cameras()[5].fx && made.position.z == nodes::default_cameras()[5].position.z);
        QVERIFY(h.street.chosen() == (StreetModel::Choice{Kind::Camera, 6}));
        Hands::drag(h.plan, h.at(15, -10), h.at(15, -30));
        QCOMPARE(h.steps(), before + 2);
        made = h.cameras()[7];
        QVERIFY(near(made.position.x, 15, 0.2) && near(made.position.y, -10, 0.2) && near(made.yaw, -90, 1.01));
        QCOMPARE(made.name, std::string("camera8"));
        h.press("street_select");
        // It is dragged, and seen by the views.
        Hands::drag(h.plan, h.at(made.position.x, made.position.y), h.at(18, -12));
        QVERIFY(near(h.cameras()[7].position.x, 18, 0.3) && near(h.cameras()[7].position.y, -12, 0.3));
        QVERIFY(QRectF(h.editor.views()->rect()).adjusted(-1, -1, 1, 1).contains(h.editor.views()->cell(7)));
        // By keys: a copy that is turned, moved, removed.
        h.plan.setFocus();
        QTest::keyClick(&h.plan, Qt::Key_Insert);
        QCOMPARE(h.cameras().size(), std::size_t(9));
        QVERIFY(h.cameras()[8].position == h.cameras()[7].position && near(h.cameras()[8].yaw, -45, 1.01));
        QTest::keyClick(&h.plan, Qt::Key_Right);
        QVERIFY(near(h.cameras()[8].position.x - h.cameras()[7].position.x, 0.2, 1e-6));
        QTest::keyClick(&h.plan, Qt::Key_Delete);
        QCOMPARE(h.cameras().size(), std::size_t(8));
        QCOMPARE(h.steps(), before + 6);
        h.street.choose({Kind::Box, 0});
        QTest::keyClick(&h.plan, Qt::Key_Insert);      // in the middle, looking ahead
        QVERIFY(h.cameras()[8].position.x == 0 && h.cameras()[8].position.y == 0 && h.cameras()[8].yaw == 90);
        h.press("street_around");
        h.space.setFocus();
        QTest::keyClick(&h.space, Qt::Key_Insert);
        QCOMPARE(h.cameras().size(), std::size_t(10));
        h.press("street_remove");
        QCOMPARE(h.cameras().size(), std::size_t(9));
        QCOMPARE(h.steps(), before + 9);
        while (h.steps() > before) h.e.trigger("undo");
        QVERIFY(h.street.cameras() == nodes::default_cameras());
        // The last one stays.
        const QByteArray one = nodes::cameras_json({nodes::default_cameras()[0]});
        h.e.model.set_param(h.rig, "cameras", QString::fromUtf8(one));
        h.street.choose({Kind::Camera, 0});
        QVERIFY(!h.viewer.findChild<QToolButton*>("street_remove")->isEnabled());
        QTest::keyClick(&h.space, Qt::Key_Delete);
        QCOMPARE(h.cameras().size(), std::size_t(1));
        // Without a node of cameras there is nothing to add one to.
        h.e.model.remove({h.rig});
        QTest::keyClick(&h.space, Qt::Key_Insert);
        QCOMPARE(h.street.cameras().size(), nodes::default_cameras().size());
        QVERIFY(!h.viewer.findChild<QToolButton*>("street_camera")->isEnabled());
    }

    void in_three_dimensions() {
        Hands h(two_cars);
        h.press("street_around");
        QVERIFY(h.space.isVisible() && !h.plan.isVisible());
        QCoreApplication::processEvents();
        const QSize size = h.space.size();
        const int before = h.steps();
        const nodes::Vec3 start = h.street.street().boxes[0].center;
        const QPointF box = h.space.to_widget(start);
        // Along the ground: the place under the mouse goes along.
        Hands::drag(h.space, box, h.space.to_widget({start.x - 6, start.y - 4, start.z}));
        QCOMPARE(h.steps(), before + 1);
        const nodes::StreetBox moved = h.kept().boxes[0];
        QVERIFY2(near(moved.center.x, start.x - 6, 0.2) && near(moved.center.y, start.y - 4, 0.2) && near(moved.center.z, start.z, 0.006),
                 qPrintable(QString("%1 %2").arg(moved.center.x).arg(moved.center.y)));
        QCOMPARE(h.space.size(), size);      // its numbers had their room before it was chosen
        // Up, with Shift.
        Hands::drag(h.space, h.space.to_widget(moved.center), h.space.to_widget(moved.center) - QPointF(0, 20), Qt::LeftButton, Qt::ShiftModifier);
        QVERIFY(h.kept().boxes[0].center.z > moved.center.z + 0.5);
        QVERIFY(near(h.kept().boxes[0].center.x, moved.center.x, 1e-9));
        // Turned by its handle, to the left.
        const nodes::Vec3 now = h.kept().boxes[0].center;
        Hands::drag(h.space, h.space.to_widget(*h.space.turn_handle()), h.space.to_widget({now.x - 5, now.y, now.z}));
        QVERIFY(near(std::abs(h.kept().boxes[0].yaw), 180, 2));
        QCOMPARE(h.steps(), before + 3);
        // A camera looks where its handle is dragged.
        h.street.choose({Kind::Camera, 1});
        const nodes::Vec3 from = h.street.cameras()[1].position;
        const nodes::Vec3 wanted = from + nodes::Vec3{4 * std::cos(0.9) * std::cos(0.3), 4 * std::sin(0.9) * std::cos(0.3), 4 * std::sin(0.3)};
        Hands::drag(h.space, h.space.to_widget(*h.space.turn_handle()), h.space.to_widget(wanted));
        const nodes::Camera turned = h.cameras()[1];
        QVERIFY2(near(turned.yaw, 0.9 * 180 / M_PI, 3) && near(turned.pitch, 0.3 * 180 / M_PI, 3), qPrintable(QString("%1 %2").arg(turned.yaw).arg(turned.pitch)));
        QCOMPARE(h.steps(), before + 4);
        // The view: it turns, moves and comes nearer without an edit.
        h.street.choose({});
        const nodes::Camera eye = h.space.eye();
        Hands::drag(h.space, {250, 10}, {300, 30});
        QVERIFY(h.space.eye().yaw != eye.yaw && h.space.eye().pitch != eye.pitch);
        Hands::drag(h.space, {250, 200}, {300, 220}, Qt::RightButton);
        QTest::keyClick(&h.space, Qt::Key_Plus);
        QTest::keyClick(&h.space, Qt::Key_Left);
        QTest::keyClick(&h.space, Qt::Key_Home);
        QVERIFY(h.space.eye().yaw == eye.yaw && h.space.eye().pitch == eye.pitch);
        QCOMPARE(h.steps(), before + 4);
    }

    void by_keys_and_numbers() {
        Hands h(two_cars);
        const int before = h.steps();
        h.plan.setFocus();
        QTest::keyClick(&h.plan, Qt::Key_PageDown);
        QVERIFY(h.street.chosen_box() == &h.street.street().boxes[0]);
        QTest::keyClick(&h.plan, Qt::Key_Right);
        QVERIFY(near(h.kept().boxes[0].center.x, 10.2, 1e-9));
        QTest::keyClick(&h.plan, Qt::Key_Up, Qt::ShiftModifier);
        QVERIFY(near(h.kept().boxes[0].center.y, 22, 1e-9));
        QTest::keyClick(&h.plan, Qt::Key_BracketLeft);
        QVERIFY(near(h.kept().boxes[0].yaw, 95, 1e-9));
        QCOMPARE(h.steps(), before + 3);
        h.field("street_height")->setValue(2.5);
        QCOMPARE(h.kept().boxes[0].size.height, 2.5);
        QVERIFY(!h.field("street_pitch")->isVisible());
        QTest::keyClick(&h.plan, Qt::Key_PageUp);      // around to the last camera
        QCOMPARE(h.street.chosen().kind, Kind::Camera);
        QVERIFY(h.field("street_pitch")->isVisible() && !h.field("street_height")->isVisible());
        QTest::keyClick(&h.plan, Qt::Key_Period);
        QCOMPARE(h.cameras()[5].pitch, 1.0);
        // Keys that are the window's elsewhere: a node is not deleted.
        QTest::keyClick(&h.plan, Qt::Key_Delete);
        QCOMPARE(h.cameras().size(), std::size_t(5));
        QVERIFY(h.e.model.contains(h.scene));
    }

    void views_follow_and_choose() {
        Hands h(two_cars);
        const QImage before = h.editor.views()->grab().toImage();
        h.street.choose({});
        h.street.set_box(0, {.box_class = 0, .center = {0, 8, -1}, .size = {2, 4.5, 1.7}, .yaw = 90});
        const QImage after = h.editor.views()->grab().toImage();
        const QPoint middle = (h.editor.views()->cell(1).center() + QPointF(0, 14)).toPoint();
        QVERIFY(before.pixelColor(middle) != after.pixelColor(middle));      // now ahead of the front camera
        Hands::click(*h.editor.views(), h.editor.views()->cell(4).center());
        QVERIFY(h.street.chosen_camera() == &h.street.cameras()[4]);
    }

    void text_that_is_no_street_stays() {
        Hands h(two_cars);
        h.e.model.set_param(h.scene, "scene", "no street");
        QVERIFY(h.street.problem().contains("expected JSON"));
        h.press("street_box");
        Hands::click(h.plan, h.at(0, 0));
        QCOMPARE(h.e.model.param(h.scene, "scene"), QJsonValue("no street"));
        h.e.trigger("undo");
        QVERIFY(h.street.problem().isEmpty());
        QCOMPARE(h.street.street().boxes.size(), std::size_t(2));
    }
};

HEDDLE_TEST(street, StreetEditorTest)
#include "street.moc"
