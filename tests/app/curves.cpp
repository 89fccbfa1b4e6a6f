// Curves that are drawn, schedules as plots, colours taken from the picture, and memory on nodes.
#include <QColorDialog>
#include <QToolButton>
#include <cmath>

#include "app/panels/curve_editor.h"
#include "app/panels/schedule_plot.h"
#include "nodes/sampling/sampler.h"
#include "nodes/types/sampling.h"
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

struct StubSchedule final : nodes::Node {
    StubSchedule() : Node({.id = "stub.schedule", .title = "Some Schedule", .category = "Sample", .help = "Three calls."}) {}
    nodes::Out<nodes::Sampling> schedule{this, "schedule", "The levels"};
    nodes::Out<double> calls{this, "calls", "How many"};
    void compute(nodes::Eval& ev) const override {
        nodes::Sampling made;
        made.sampler = &nodes::find_sampler("euler");
        made.calls = {nodes::level_of_sigma(900, 10), nodes::level_of_sigma(500, 4), nodes::level_of_sigma(100, 1)};
        made.levels = made.calls;
        made.levels.push_back(nodes::level_of_sigma(0, 0));
        ev.set(calls, 3.0);
        ev.set(schedule, made);
    }
};

struct Curves {
    tests::Editor e;
    NodeId node = e.model.add_node("image.curves", {});
    CurveEditor* editor = nullptr;

    Curves() {
        e.scene.select({node});
        editor = qobject_cast<CurveEditor*>(e.window.params().editor("rgb"));
        (void)QTest::qWaitFor([&] { return editor && editor->height() >= editor->sizeHint().height(); }, 5000);
    }
    QPointF place(double x, double y) const { return editor->place({x, y}); }
    void send(QEvent::Type type, QPointF at, Qt::MouseButton button, Qt::MouseButtons held) const {
        QMouseEvent event(type, at, editor->mapToGlobal(at), button, held, {});
        QApplication::sendEvent(editor, &event);
    }
    void drag(QPointF from, QPointF to) const {
        send(QEvent::MouseButtonPress, from, Qt::LeftButton, Qt::LeftButton);
        for (int i = 1; i <= 4; ++i) send(QEvent::MouseMove, from + (to - from) * i / 4, Qt::NoButton, Qt::LeftButton);
        send(QEvent::MouseButtonRelease, to, Qt::LeftButton, Qt::NoButton);
    }
    nodes::Curve curve() const { return *nodes::parse_curve(e.model.param(node, "rgb").toString().toStdString()); }
    int steps() { return e.model.undo_stack().index(); }
};

bool about(double a, double b) { return std::abs(a - b) < 0.02; }

}  // namespace

class CurvesInPanelTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() {
        tests::register_editor_stubs();
        nodes::add_node_type(std::make_unique<StubSchedule>());
    }

    void points_are_added_dragged_and_removed_by_the_mouse() {
        Curves c;
        QVERIFY(c.editor);
        const int steps = c.steps();
        c.drag(c.place(0.5, 0.5), c.place(0.5, 0.8));      // a new point, dragged at once
        QCOMPARE(c.steps(), steps + 1);
        QCOMPARE(c.curve().points.size(), 3u);
        QVERIFY(about(c.curve().points[1].x, 0.5) && about(c.curve().points[1].y, 0.8));
        c.drag(c.place(0.5, 0.8), c.place(0.7, 0.6));
        QCOMPARE(c.steps(), steps + 2);
        QVERIFY(about(c.curve().points[1].x, 0.7) && about(c.curve().points[1].y, 0.6));
        c.drag(c.place(0.7, 0.6), c.place(3, -2));      // stays between its neighbours, and inside
        QCOMPARE(c.curve().points.size(), 3u);
        QVERIFY(c.curve().points[1].x < 1 && c.curve().points[1].x > 0.9);
        QCOMPARE(c.curve().points[1].y, 0.0);
        c.e.trigger("undo");
        QVERIFY(about(c.curve().points[1].x, 0.7));
        QVERIFY(c.editor->curve() == c.curve());
        c.send(QEvent::MouseButtonPress, c.place(0.7, 0.6), Qt::RightButton, Qt::RightButton);
        QVERIFY(c.curve().identity());
        c.send(QEvent::MouseButtonPress, c.place(0, 0), Qt::RightButton, Qt::RightButton);      // two are left
        QCOMPARE(c.curve().points.size(), 2u);
        c.e.trigger("undo");
        QCOMPARE(c.curve().points.size(), 3u);
        for (int i = 0; i < 2; ++i) c.e.trigger("undo");
        QVERIFY(!c.e.model.param_is_set(c.node, "rgb"));
        // It stands in the document as its points.
        c.drag(c.place(0.5, 0.5), c.place(0.5, 0.75));
        QVERIFY(c.e.model.document().to_json().contains(nodes::curve_text(c.curve()).c_str()));
    }

    void points_are_edited_by_keys_alone() {
        Curves c;
        c.editor->setFocus(Qt::TabFocusReason);
        QCOMPARE(c.editor->chosen(), 0);
        QTest::keyClick(c.editor, Qt::Key_Insert);
        QCOMPARE(c.curve().points.size(), 3u);
        QCOMPARE(c.editor->chosen(), 1);
        QTest::keyClick(c.editor, Qt::Key_Up, Qt::ShiftModifier);
        QTest::keyClick(c.editor, Qt::Key_Left);
        QVERIFY(about(c.curve().points[1].y, 0.6) && about(c.curve().points[1].x, 0.49));
        QVERIFY(c.editor->accessibleDescription().contains("2"));
        QTest::keyClick(c.editor, Qt::Key_PageDown);
        QCOMPARE(c.editor->chosen(), 2);
        QTest::keyClick(c.editor, Qt::Key_PageUp);
        QTest::keyClick(c.editor, Qt::Key_Delete);
        QVERIFY(c.curve().identity());
        QVERIFY(c.e.model.contains(c.node));      // Delete was for the point
        QVERIFY(!c.editor->accessibleName().isEmpty());
    }

    void a_text_that_is_no_curve_is_replaced_by_the_first_edit() {
        Curves c;
        c.e.model.set_param(c.node, "rgb", "nonsense");
        QVERIFY(!c.editor->grab().isNull());
        c.drag(c.place(0.5, 0.5), c.place(0.5, 0.7));
        QCOMPARE(c.curve().points.size(), 3u);
    }

    void a_schedule_is_a_plot_after_a_run() {
        tests::Editor e;
        const NodeId node = e.model.add_node("stub.schedule", {});
        e.scene.select({node});
        QVERIFY(!e.window.params().plot()->isVisibleTo(&e.window.params()));
        e.window.runs().start({node});
        QVERIFY(e.wait_for_run());
        SchedulePlot* plot = e.window.params().plot();
        QVERIFY(QTest::qWaitFor([&] { return plot->isVisibleTo(&e.window.params()); }, 10000));
        QCOMPARE(plot->sigmas().size(), 4u);
        QVERIFY(about(plot->sigmas()[1], 4) && plot->sigmas()[3] == 0);
        QTRY_VERIFY(plot->height() >= plot->sizeHint().height());
        QVERIFY(plot->place(0).y() < plot->place(1).y() && plot->place(0).x() < plot->place(1).x());
        plot->setFocus();
        for (int i = 0; i < 2; ++i) QTest::keyClick(plot, Qt::Key_Right);
        QCOMPARE(plot->chosen(), 1);
        QVERIFY2(plot->accessibleDescription().contains("500"), qPrintable(plot->accessibleDescription()));
        QVERIFY(!plot->grab().isNull());
        e.scene.select({e.model.add_node("stub.constant", {300, 0})});
        QVERIFY(!e.window.params().plot()->isVisibleTo(&e.window.params()));
    }

    void a_colour_is_taken_from_the_picture() {
        tests::Editor e;
        const NodeId ramp = e.model.add_node("stub.ramp", {}), pad = e.model.add_node("image.pad", {300, 0});
        e.scene.select({ramp});
        e.window.runs().start({ramp});
        QVERIFY(e.wait_for_run());
        ViewerPanel& viewer = e.window.viewer();
        PictureView& view = *viewer.picture();
        QVERIFY(QTest::qWaitFor([&] { return !viewer.busy() && !view.picture().isNull(); }, 10000));
        e.scene.select({pad});      // the picture stays
        QVERIFY(QTest::qWaitFor([&] { return !viewer.busy() && !view.picture().isNull(); }, 10000));
        PictureTool* own = view.tool();
        auto* pick = e.window.params().editor("color")->findChild<QToolButton*>("pick");
        QTest::mouseClick(pick, Qt::LeftButton);
        QVERIFY(viewer.picking() && pick->isChecked());
        const int steps = e.model.undo_stack().index();
        const auto send = [&](QEvent::Type type, QPointF pixel, Qt::MouseButton button, Qt::MouseButtons held) {
            const QPointF at = view.to_widget(pixel);
            QMouseEvent event(type, at, view.mapToGlobal(at), button, held, {});
            QApplication::sendEvent(&view, &event);
        };
        send(QEvent::MouseButtonPress, {3.5, 4.5}, Qt::LeftButton, Qt::LeftButton);
        QCOMPARE(e.model.param(pad, "color").toString(), QString("#030407"));
        send(QEvent::MouseMove, {20.5, 9.5}, Qt::NoButton, Qt::LeftButton);
        send(QEvent::MouseButtonRelease, {20.5, 9.5}, Qt::LeftButton, Qt::NoButton);
        QCOMPARE(e.model.param(pad, "color").toString(), QString("#140907"));
        QCOMPARE(e.model.undo_stack().index(), steps + 1);
        QTRY_VERIFY(!viewer.picking());
        QVERIFY(!pick->isChecked());
        QCOMPARE(view.tool(), own);
        e.trigger("undo");
        QVERIFY(!e.model.param_is_set(pad, "color"));

        // By keys, and left without one; how transparent the colour is stays.
        e.model.set_param(pad, "color", "#80808040");
        QTest::mouseClick(pick, Qt::LeftButton);
        for (int i = 0; i < 2; ++i) QTest::keyClick(&view, Qt::Key_Right);
        QTest::keyClick(&view, Qt::Key_Down, Qt::ShiftModifier);
        QTest::keyClick(&view, Qt::Key_Return);
        const QPoint middle = view.picture().rect().center();
        QCOMPARE(e.model.param(pad, "color").toString(), QString("#%1%2").arg(middle.x() + 2, 2, 16, QChar('0')).arg(middle.y() + 10, 2, 16, QChar('0')) + "0740");
        QTRY_VERIFY(!viewer.picking());
        QTest::mouseClick(pick, Qt::LeftButton);
        QTest::keyClick(&view, Qt::Key_Escape);
        QTRY_VERIFY(!viewer.picking());
        QVERIFY(!pick->isChecked());
        QTest::mouseClick(pick, Qt::LeftButton);
        e.scene.select({ramp});      // another node: nobody wants the colour
        QVERIFY(!viewer.picking());
    }

    void without_a_picture_there_is_no_colour_to_take() {
        tests::Editor e;
        e.scene.select({e.model.add_node("image.pad", {})});
        auto* pick = e.window.params().editor("color")->findChild<QToolButton*>("pick");
        QTest::mouseClick(pick, Qt::LeftButton);
        QVERIFY(!e.window.viewer().picking() && !pick->isChecked());
    }

    void a_colour_is_chosen_and_typed() {
        tests::Editor e;
        const NodeId pad = e.model.add_node("image.pad", {});
        e.scene.select({pad});
        ParamEditor* editor = e.window.params().editor("color");
        const int steps = e.model.undo_stack().index();
        QTest::mouseClick(editor->findChild<QToolButton*>("swatch"), Qt::LeftButton);
        auto* dialog = editor->findChild<QColorDialog*>();
        QVERIFY(dialog);
        dialog->setCurrentColor(QColor(1, 2, 3));
        dialog->setCurrentColor(QColor(255, 0, 128, 64));
        dialog->accept();
        QCOMPARE(e.model.param(pad, "color").toString(), QString("#ff008040"));
        QCOMPARE(e.model.undo_stack().index(), steps + 1);
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        QTest::mouseClick(editor->findChild<QToolButton*>("swatch"), Qt::LeftButton);
        dialog = editor->findChild<QColorDialog*>();
        QVERIFY(dialog);
        dialog->setCurrentColor(QColor(9, 9, 9));
        QCOMPARE(e.model.param(pad, "color").toString(), QString("#090909"));
        dialog->reject();      // as it was, and no step
        QCOMPARE(e.model.param(pad, "color").toString(), QString("#ff008040"));
        QCOMPARE(e.model.undo_stack().index(), steps + 1);
        e.type_param(pad, "color", "#00ff00");
        QCOMPARE(e.model.param(pad, "color").toString(), QString("#00ff00"));
    }

    void memory_shows_on_nodes() {
        tests::Editor e;
        const NodeId ramp = e.model.add_node("stub.ramp", {});
        e.view.frame_all();
        e.window.runs().start({ramp});
        QVERIFY(e.wait_for_run());
        QTRY_VERIFY(!e.window.runs().values(ramp).empty() && !e.window.runs().thumbnail(ramp).isNull());
        QApplication::processEvents();
        const auto shown = [&] { return e.view.viewport()->grab().toImage(); };
        e.trigger("memory");
        const QImage with = shown();
        e.trigger("memory");
        QVERIFY(with != shown());
        e.trigger("memory");
        QVERIFY(with == shown());
        e.trigger("memory");
    }
};

HEDDLE_TEST(curves, CurvesInPanelTest)
#include "curves.moc"
