// Painting masks on the picture: real mouse events on the viewer, what is seen at once, what the document keeps.
#include <QDoubleSpinBox>
#include <QToolButton>

#include "app/panels/direct_editor.h"
#include "nodes/types/mask.h"
#include "gpu/run/evaluate.h"
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

struct Painter {
    tests::Editor e;
    NodeId mask;
    PictureView& view = *e.window.viewer().picture();

    // A mask without a picture: a canvas of its own.
    explicit Painter(int side = 64) {
        mask = e.model.add_node("mask.paint", {});
        e.model.set_params(mask, {{"width", side}, {"height", side}});
        e.scene.select({mask});
        settle();
    }
    MaskTool& tool() { return *e.window.viewer().editor()->mask_tool(); }
    bool settle() {
        return QTest::qWaitFor([this] { return !e.window.viewer().busy() && view.tool() && tool().ready(); }, 10000);
    }
    QPoint at(double x, double y) const { return view.to_widget({x, y}).toPoint(); }
    void send(QEvent::Type type, QPoint point, Qt::MouseButton button, Qt::MouseButtons held) {
        QMouseEvent event(type, QPointF(point), view.mapToGlobal(QPointF(point)), button, held, {});
        QApplication::sendEvent(&view, &event);
    }
    void press(double x, double y, Qt::MouseButton button = Qt::LeftButton) { send(QEvent::MouseButtonPress, at(x, y), button, button); }
    void move(double x, double y, Qt::MouseButton button = Qt::LeftButton) { send(QEvent::MouseMove, at(x, y), Qt::NoButton, button); }
    void release(double x, double y, Qt::MouseButton button = Qt::LeftButton) { send(QEvent::MouseButtonRelease, at(x, y), button, Qt::NoButton); }
    void stroke(double x1, double y1, double x2, double y2, Qt::MouseButton button = Qt::LeftButton) {
        press(x1, y1, button);
        for (int i = 1; i <= 8; ++i) move(x1 + (x2 - x1) * i / 8, y1 + (y2 - y1) * i / 8, button);
        release(x2, y2, button);
    }
    std::vector<nodes::Stroke> kept() const { return nodes::parse_strokes(e.model.param(mask, "strokes").toString().toUtf8()); }
    void choose(const char* tool) { QTest::mouseClick(e.window.viewer().findChild<QToolButton*>(tool), Qt::LeftButton); }
    void brush(double radius, double hardness = 100) {
        e.window.viewer().findChild<QDoubleSpinBox*>("brush_radius")->setValue(radius);
        e.window.viewer().findChild<QDoubleSpinBox*>("brush_hardness")->setValue(hardness);
    }
};

}  // namespace

class MaskPainterTest : public QObject {
    Q_OBJECT

private slots:
    void a_stroke_is_seen_at_once_and_one_undo_step() {
        Painter p;
        p.brush(6);
        const int steps = p.e.model.undo_stack().index();
        p.press(16, 32);
        p.move(24, 32);
        p.move(48, 32);
        QCOMPARE(p.tool().mask().at(32, 32), 1.0f);  // before the release, without a run
        QVERIFY(!p.e.model.param_is_set(p.mask, "strokes"));
        p.release(48, 32);
        QCOMPARE(p.e.model.undo_stack().index(), steps + 1);
        QCOMPARE(p.kept().size(), std::size_t(1));
        QVERIFY(std::abs(p.kept()[0].points[0].x - 16) < 0.5 && std::abs(p.kept()[0].points.back().x - 48) < 0.5);
        QCOMPARE(p.kept()[0].radius, 6.0);
        // What is seen is what a run makes of it.
        QVERIFY(p.tool().mask().values == nodes::draw_strokes(p.kept(), 64, 64).values);
        p.e.trigger("undo");
        QVERIFY(p.settle());
        QCOMPARE(p.tool().mask().at(32, 32), 0.0f);
        QVERIFY(p.kept().empty());
        p.e.trigger("redo");
        QVERIFY(p.settle());
        QCOMPARE(p.tool().mask().at(32, 32), 1.0f);
    }

    void every_tool_leaves_its_stroke() {
        Painter p;
        p.choose("tool_rectangle");
        p.stroke(8, 8, 40, 40);
        p.choose("tool_ellipse");
        p.stroke(20, 20, 60, 60);
        p.choose("tool_gradient");
        p.stroke(0, 0, 63, 0);
        p.choose("tool_lasso");
        p.press(4, 4);
        for (const QPointF& at : {QPointF(30, 4), QPointF(30, 30), QPointF(4, 30)}) p.move(at.x(), at.y());
        p.release(4, 30);
        p.choose("tool_fill");
        p.press(50, 10);
        p.release(50, 10);
        p.choose("tool_eraser");
        p.brush(4);
        p.stroke(10, 10, 20, 20);
        const auto kept = p.kept();
        QCOMPARE(kept.size(), std::size_t(6));
        using Tool = nodes::StrokeTool;
        const Tool wanted[] = {Tool::Rectangle, Tool::Ellipse, Tool::Gradient, Tool::Lasso, Tool::Fill, Tool::Eraser};
        for (std::size_t i = 0; i < 6; ++i) QVERIFY(kept[i].tool == wanted[i]);
        QVERIFY(kept[3].points.size() >= 4);
        QVERIFY(p.tool().mask().at(15, 15) < 0.5f);
        QVERIFY(nodes::draw_strokes(kept, 64, 64).values == p.tool().mask().values);
        QCOMPARE(p.e.model.undo_stack().index(), 8);  // the node, its size, six strokes
    }

    void keys_change_tool_size_and_strength() {
        Painter p;
        p.brush(20, 80);
        p.view.setFocus();
        auto* radius = p.e.window.viewer().findChild<QDoubleSpinBox*>("brush_radius");
        QTest::keyClick(&p.view, Qt::Key_BracketRight);
        QVERIFY(radius->value() > 20);
        QTest::keyClick(&p.view, Qt::Key_BracketLeft);
        QTest::keyClick(&p.view, Qt::Key_BracketLeft);
        QVERIFY(radius->value() < 20);
        QTest::keyClick(&p.view, Qt::Key_L);  // not the window's "arrange"
        QVERIFY(p.e.window.viewer().findChild<QToolButton*>("tool_lasso")->isChecked());
        QTest::keyClick(&p.view, Qt::Key_B);
        QTest::keyClick(&p.view, Qt::Key_5);
        p.stroke(20, 20, 40, 40);
        QCOMPARE(p.kept().at(0).strength, 0.5);
        QTest::keyClick(&p.view, Qt::Key_0);
        p.stroke(20, 20, 40, 40, Qt::RightButton);
        QVERIFY(p.kept().at(1).tool == nodes::StrokeTool::Eraser);
    }

    void the_picture_that_the_node_reads_lies_under_it() {
        tests::Editor e;
        const NodeId picture = e.model.add_node("image.gradient", {}), mask = e.model.add_node("mask.paint", {300, 0});
        e.model.set_params(picture, {{"width", 48}, {"height", 32}});
        QVERIFY(e.model.connect_sockets({picture, "image", true}, {mask, "image", false}).isEmpty());
        e.scene.select({mask});
        ViewerPanel& viewer = e.window.viewer();
        QVERIFY(!viewer.picture()->tool());  // nothing to paint on yet
        e.trigger("run");
        QVERIFY(e.wait_for_run());
        QVERIFY(QTest::qWaitFor([&] { return viewer.picture()->tool() && viewer.editor()->mask_tool()->ready(); }, 10000));
        QCOMPARE(viewer.source(), (SocketId{picture, "image", true}));
        QCOMPARE(viewer.editor()->mask_tool()->mask().width, 48);
        // Another node takes the tool away.
        e.scene.select({picture});
        QVERIFY(!viewer.picture()->tool());
        QVERIFY(!viewer.editor()->isVisible());
    }

    void a_run_gives_what_was_painted() {
        Painter p;
        p.brush(8, 50);
        p.stroke(12, 12, 50, 44);
        p.e.trigger("run");
        QVERIFY(p.e.wait_for_run());
        const auto values = p.e.window.runs().values(p.mask);
        QCOMPARE(values.size(), std::size_t(1));
        const auto run = gpu::to_floats(values[0].value.get<nodes::Mask>()->tensor);
        const auto& seen = p.tool().mask().values;
        QCOMPARE(run.size(), seen.size());
        QVERIFY(run == seen);
    }

    void text_that_is_no_strokes_is_told_and_kept() {
        Painter p;
        p.e.model.set_param(p.mask, "strokes", "[{\"tool\": \"pen\"}]");
        QVERIFY(p.tool().problem().contains("expected a tool"));
        p.stroke(10, 10, 20, 20);  // refused
        QCOMPARE(p.e.model.param(p.mask, "strokes"), QJsonValue("[{\"tool\": \"pen\"}]"));
        p.choose("tool_clear");
        QVERIFY(p.settle());
        p.stroke(10, 10, 20, 20);
        QCOMPARE(p.kept().size(), std::size_t(1));
        // The panel tells how many and does not show the text.
        QVERIFY(p.e.window.params().editor("strokes")->findChild<QLabel*>("drawn")->text().contains("1"));
    }

    // Items that are selected while they go tell so: whoever asks the scene then must not meet them.
    void another_document_comes_while_nodes_are_selected() {
        tests::Editor e;
        std::vector<NodeId> ids;
        for (int i = 0; i < 12; ++i) ids.push_back(e.model.add_node("mask.paint", {i * 200.0, 0}));
        for (const NodeId& id : {ids[3], ids[11], ids[7]}) {
            e.scene.select({id});
            QStringList asked;
            const auto heard = connect(&e.scene, &QGraphicsScene::selectionChanged, this, [&] {
                for (const NodeId& selected : e.scene.selected_nodes())
                    if (!e.model.contains(selected)) asked.push_back(qt(selected));
            });
            e.model.remove({id});
            QVERIFY2(asked.isEmpty(), qPrintable(asked.join(',')));
            disconnect(heard);
        }
        e.scene.select(e.model.node_ids());
        e.model.set_document(nodes::Document());
        QVERIFY(e.scene.selected_nodes().empty());
        QVERIFY(!e.window.viewer().editor()->active());
    }

    void removing_the_node_while_a_stroke_is_drawn_is_safe() {
        Painter p;
        p.press(10, 10);
        p.move(20, 20);
        p.e.model.remove({p.mask});
        p.move(30, 30);
        p.release(30, 30);
        QVERIFY(!p.view.tool());
    }
};

HEDDLE_TEST(mask_painter, MaskPainterTest)
#include "mask_painter.moc"
