// Boxes, margins and poses, edited on the picture.
#include <QToolButton>

#include "app/panels/box_tool.h"
#include "app/panels/pose_tool.h"
#include "app/panels/transform_tool.h"
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

struct Hands {
    tests::Editor e;
    ViewerPanel& viewer = e.window.viewer();
    PictureView& view = *viewer.picture();

    void send(QEvent::Type type, QPointF pixel, Qt::MouseButton button, Qt::MouseButtons held) {
        const QPointF point = view.to_widget(pixel);
        QMouseEvent event(type, point, view.mapToGlobal(point), button, held, {});
        QApplication::sendEvent(&view, &event);
    }
    void drag(QPointF from, QPointF to) {
        send(QEvent::MouseButtonPress, from, Qt::LeftButton, Qt::LeftButton);
        for (int i = 1; i <= 4; ++i) send(QEvent::MouseMove, from + (to - from) * i / 4, Qt::NoButton, Qt::LeftButton);
        send(QEvent::MouseButtonRelease, to, Qt::LeftButton, Qt::NoButton);
    }
    void click(QPointF at, Qt::MouseButton button) {
        send(QEvent::MouseButtonPress, at, button, button);
        send(QEvent::MouseButtonRelease, at, button, Qt::NoButton);
    }
    // A picture of 200 x 100 that feeds `node`, and a run, and the node selected.
    bool under(const NodeId& node) {
        const NodeId picture = e.model.add_node("image.gradient", {-300, 0});
        e.model.set_params(picture, {{"width", 200}, {"height", 100}});
        if (!node.empty() && e.model.declaration(node)->input("image")) e.model.connect_sockets({picture, "image", true}, {node, "image", false});
        e.window.runs().start({picture});
        if (!e.wait_for_run()) return false;
        e.scene.select({picture});
        if (!settled()) return false;
        if (!node.empty()) e.scene.select({node});
        return settled() && view.tool();
    }
    bool settled() {
        return QTest::qWaitFor([&] { return !viewer.busy() && !view.picture().isNull(); }, 10000);
    }
    int number(const NodeId& id, const char* param) { return e.model.param(id, param).toInt(); }
};

}  // namespace

class DirectEditTest : public QObject {
    Q_OBJECT

private slots:
    void a_crop_is_dragged() {
        Hands h;
        const NodeId crop = h.e.model.add_node("image.crop", {});
        h.e.model.set_params(crop, {{"width", 100}, {"height", 50}});
        QVERIFY(h.under(crop));
        QCOMPARE(*h.viewer.editor()->box_tool()->box(), QRectF(50, 25, 100, 50));  // in the middle
        const int steps = h.e.model.undo_stack().index();
        h.drag({150, 50}, {170, 50});  // the right side
        QCOMPARE(h.e.model.undo_stack().index(), steps + 1);
        QVERIFY(std::abs(h.number(crop, "width") - 120) <= 1);
        QVERIFY(std::abs(h.viewer.editor()->box_tool()->box()->left() - 50) <= 1);  // the left side stayed
        h.drag({100, 50}, {90, 40});  // as a whole
        QVERIFY((h.viewer.editor()->box_tool()->box()->topLeft() - QPointF(40, 15)).manhattanLength() <= 2);
        h.drag({100, 40}, {900, 900});  // stays inside
        QVERIFY(QRectF(0, 0, 200, 100).contains(*h.viewer.editor()->box_tool()->box()));
        h.e.trigger("run");
        QVERIFY(h.e.wait_for_run());
        QVERIFY(h.e.window.runs().status(crop).state == nodes::NodeState::Done);
        for (int i = 0; i < 3; ++i) h.e.trigger("undo");
        QCOMPARE(h.number(crop, "width"), 100);
        QVERIFY(!h.e.model.param_is_set(crop, "x"));
    }

    void an_area_is_in_shares_or_pixels() {
        Hands h;
        const NodeId area = h.e.model.add_node("conditioning.area", {});
        h.e.model.set_params(area, {{"x", 0.25}, {"y", 0}, {"width", 0.5}, {"height", 1}});
        QVERIFY(h.under(area));
        QCOMPARE(*h.viewer.editor()->box_tool()->box(), QRectF(50, 0, 100, 100));
        h.drag({50, 50}, {100, 50});
        QVERIFY(std::abs(h.e.model.param(area, "x").toDouble() - 0.5) < 0.01);
        QVERIFY(std::abs(h.e.model.param(area, "width").toDouble() - 0.25) < 0.01);
        h.e.model.set_params(area, {{"unit", "pixels"}, {"x", 20}, {"y", 10}, {"width", 80}, {"height", 60}});
        QCOMPARE(*h.viewer.editor()->box_tool()->box(), QRectF(20, 10, 80, 60));
        // Computed by an expression: no handles.
        h.e.model.set_param(area, "x", QJsonObject{{"=", "1 + 1"}});
        QVERIFY(!h.viewer.editor()->box_tool()->box());
    }

    // Latents are looked at by cells, of 8 x 8 pixels each; the parameters count pixels.
    void latents_are_cut_and_laid_by_cells() {
        Hands h;
        const NodeId latent = h.e.model.add_node("latent.empty", {-600, 0}), small = h.e.model.add_node("latent.empty", {-600, 300});
        const NodeId crop = h.e.model.add_node("latent.crop", {}), lay = h.e.model.add_node("latent.composite", {0, 300});
        h.e.model.set_params(latent, {{"width", 512}, {"height", 256}});
        h.e.model.set_params(small, {{"width", 128}, {"height", 64}});
        h.e.model.set_params(crop, {{"x", 64}, {"width", 128}, {"height", 128}});
        h.e.model.connect_sockets({latent, "latent", true}, {crop, "latent", false});
        h.e.model.connect_sockets({latent, "latent", true}, {lay, "under", false});
        h.e.model.connect_sockets({small, "latent", true}, {lay, "over", false});
        h.e.scene.select({lay});
        QVERIFY(!h.view.tool());      // how large it is nobody knows before a run
        h.e.window.runs().start({latent, small});
        QVERIFY(h.e.wait_for_run());
        h.e.scene.select({latent});
        QVERIFY(h.settled());
        h.e.scene.select({crop});
        QVERIFY(h.settled() && h.view.tool());
        QCOMPARE(*h.viewer.editor()->box_tool()->box(), QRectF(8, 0, 16, 16));
        h.drag({16, 8}, {20, 12});
        QCOMPARE(QPoint(h.number(crop, "x"), h.number(crop, "y")), QPoint(96, 32));
        h.drag({28, 12}, {30, 12});      // the right side
        QCOMPARE(h.number(crop, "width"), 144);
        QCOMPARE(h.number(crop, "height"), 128);

        h.e.scene.select({lay});
        QVERIFY(h.settled() && h.view.tool());
        QCOMPARE(*h.viewer.editor()->box_tool()->box(), QRectF(0, 0, 16, 8));
        const int steps = h.e.model.undo_stack().index();
        h.drag({8, 4}, {18, 10});
        QCOMPARE(h.e.model.undo_stack().index(), steps + 1);
        QCOMPARE(QPoint(h.number(lay, "x"), h.number(lay, "y")), QPoint(80, 48));
        h.drag({12, 7}, {-2, 7});      // a corner moves it too; it may stand over
        QCOMPARE(h.number(lay, "x"), -32);
    }

    void what_node_types_declare_is_there() {
        std::vector<std::string> found;
        for (const nodes::Node* type : nodes::node_types())
            for (const nodes::DirectEdit& edit : nodes::direct_edits_of(type)) {
                std::vector<std::string> inputs, params;
                if (const auto* box = std::get_if<nodes::BoxEdit>(&edit)) inputs = {box->picture}, params = {box->x, box->y, box->width, box->height, box->unit, box->anchor};
                if (const auto* place = std::get_if<nodes::PlaceEdit>(&edit)) inputs = {place->picture, place->over}, params = {place->x, place->y};
                if (const auto* moved = std::get_if<nodes::TransformEdit>(&edit)) inputs = {moved->picture}, params = {moved->x, moved->y, moved->scale, moved->angle};
                if (params.empty()) continue;
                found.push_back(type->info().id);
                for (const std::string& input : inputs) QVERIFY2(input.empty() || type->input(input), found.back().c_str());
                for (const std::string& param : params) QVERIFY2(param.empty() || type->param(param), found.back().c_str());
            }
        for (const char* id : {"conditioning.area", "image.crop", "image.transform", "latent.composite", "latent.crop", "video.crop"}) QVERIFY2(std::ranges::find(found, id) != found.end(), id);
    }

    void a_picture_is_moved_scaled_and_turned() {
        Hands h;
        const NodeId node = h.e.model.add_node("image.transform", {});
        QVERIFY(h.under(node));
        TransformTool* tool = h.viewer.editor()->transform_tool();
        QVERIFY(tool);
        QCOMPARE(*tool->outline(), QPolygonF({{0, 0}, {200, 0}, {200, 100}, {0, 100}}));
        const auto number = [&](const char* param) { return h.e.model.param(node, param).toDouble(); };
        const int steps = h.e.model.undo_stack().index();
        h.drag({100, 50}, {120, 60});
        QCOMPARE(QPointF(number("x"), number("y")), QPointF(20, 10));
        QCOMPARE(h.e.model.undo_stack().index(), steps + 1);
        h.drag({220, 110}, {270, 135});      // the lower right corner, half as far again from the centre
        QVERIFY(std::abs(number("scale") - 1.5) < 0.02);
        const QPointF middle(120, 60), knob = tool->knob() - middle;
        QVERIFY(std::abs(knob.x()) < 1e-6 && knob.y() < -75);
        h.drag(middle + knob, middle + QPointF(-knob.y(), 0));      // from above to the right: a quarter, clockwise
        QVERIFY(std::abs(number("angle") - 90) < 0.5);
        QCOMPARE(h.e.model.undo_stack().index(), steps + 3);
        // What was the upper left corner is the upper right one now.
        QVERIFY(QLineF(tool->outline()->at(0), middle + QPointF(75, -150)).length() < 3);
        h.e.trigger("run");
        QVERIFY(h.e.wait_for_run());
        QVERIFY(h.e.window.runs().status(node).state == nodes::NodeState::Done);
        for (int i = 0; i < 3; ++i) h.e.trigger("undo");
        for (const char* param : {"x", "y", "scale", "angle"}) QVERIFY(!h.e.model.param_is_set(node, param));
        h.e.model.set_param(node, "angle", QJsonObject{{"=", "30 + 15"}});      // computed: no handles
        QVERIFY(!tool->outline());
    }

    void margins_are_dragged_outwards() {
        Hands h;
        const NodeId pad = h.e.model.add_node("image.outpaint", {});
        QVERIFY(h.under(pad));
        h.drag({200, 50}, {232, 50});
        QVERIFY(std::abs(h.number(pad, "right") - 32) <= 1);
        h.drag({0, 0}, {-16, -8});
        QVERIFY(std::abs(h.number(pad, "left") - 16) <= 1 && std::abs(h.number(pad, "top") - 8) <= 1);
        h.drag({100, 100}, {100, 60});  // not inwards
        QCOMPARE(h.number(pad, "bottom"), 0);
    }

    void people_are_added_and_their_points_dragged() {
        Hands h;
        const NodeId pose = h.e.model.add_node("pose.load", {}), draw = h.e.model.add_node("pose.draw", {300, 0});
        QVERIFY(h.e.model.connect_sockets({pose, "pose", true}, {draw, "pose", false}).isEmpty());
        h.e.scene.select({pose});
        PoseTool* tool = h.viewer.editor()->pose_tool();
        QVERIFY(tool);
        QTest::mouseClick(h.viewer.findChild<QToolButton*>("add_person"), Qt::LeftButton);
        QTest::mouseClick(h.viewer.findChild<QToolButton*>("add_person_25"), Qt::LeftButton);
        QVERIFY(h.settled());
        QCOMPARE(tool->people(), 2);
        const auto kept = [&] { return nodes::parse_pose(h.e.model.param(pose, "text").toString().toUtf8()); };
        QCOMPARE(kept().frames->front().people[1].body.size(), std::size_t(25));
        QCOMPARE(kept().frames->front().width, 512.0);
        const int steps = h.e.model.undo_stack().index();
        const QPointF wrist = tool->position(0, 4);
        h.drag(wrist, wrist + QPointF(40, -30));
        QCOMPARE(h.e.model.undo_stack().index(), steps + 1);
        const auto point = kept().frames->front().people[0].body[4];
        QVERIFY((QPointF(point.x, point.y) - wrist - QPointF(40, -30)).manhattanLength() < 4);
        h.click(tool->position(0, 4), Qt::RightButton);
        QCOMPARE(kept().frames->front().people[0].body[4].score, 0.0);
        h.e.trigger("undo");
        h.e.trigger("undo");
        QCOMPARE(tool->position(0, 4), wrist);
        h.e.trigger("run");
        QVERIFY(h.e.wait_for_run());
        QVERIFY(h.e.window.runs().status(draw).state == nodes::NodeState::Done);
        QTest::mouseClick(h.viewer.findChild<QToolButton*>("remove_person"), Qt::LeftButton);
        QCOMPARE(tool->people(), 1);
        // Text that is no pose stays as it is.
        h.e.model.set_param(pose, "text", "no pose");
        QVERIFY(!tool->problem().isEmpty());
        tool->add_person(nodes::Skeleton::Coco18);
        QCOMPARE(h.e.model.param(pose, "text"), QJsonValue("no pose"));
    }
};

HEDDLE_TEST(direct_edit, DirectEditTest)
#include "direct_edit.moc"
