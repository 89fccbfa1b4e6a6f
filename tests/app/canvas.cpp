// Gestures on the canvas, by simulated events.
#include "tests/app/editor_fixture.h"

using namespace app;

class CanvasTest : public QObject {
    Q_OBJECT

private slots:
    void dragging_from_output_to_input_connects() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0}), sum = e.model.add_node("stub.add", {300, 60});
        e.view.frame_all();
        e.connect_by_mouse(a, "out", sum, "a");
        QCOMPARE(e.model.links(), std::vector<LinkId>({{{a, "out"}, {sum, "a"}}}));
        e.drag(e.at(sum, "b", false), e.at(a, "out", true));  // the other way round
        QCOMPARE(e.model.links().size(), 2u);
        e.trigger("undo");
        e.trigger("undo");
        QVERIFY(e.model.links().empty());
    }

    void a_wire_of_the_wrong_type_is_refused_and_says_why() {
        tests::Editor e;
        const NodeId read = e.model.add_node("stub.read", {0, 0}), sum = e.model.add_node("stub.add", {300, 60});
        e.view.frame_all();
        e.connect_by_mouse(read, "text", sum, "a");
        QVERIFY(e.model.links().empty());
        QVERIFY2(e.window.messages().text().contains("number"), qPrintable(e.window.messages().text()));
    }

    void while_dragging_only_fitting_sockets_stay_lit() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0}), sum = e.model.add_node("stub.add", {300, 0}),
                     measure = e.model.add_node("stub.measure", {300, 200});
        e.view.frame_all();
        QTest::mousePress(e.view.viewport(), Qt::LeftButton, {}, e.at(a, "out", true));
        QVERIFY(e.scene.drag_partners());
        QVERIFY(e.scene.drag_partners()->contains({sum, "a", false}));
        QVERIFY(e.scene.drag_partners()->contains({measure, "in", false}));     // by conversion
        QVERIFY(!e.scene.drag_partners()->contains({measure, "note", false}));  // text
        QTest::keyClick(&e.view, Qt::Key_Escape);
        QVERIFY(!e.scene.drag_partners());
        QTest::mouseRelease(e.view.viewport(), Qt::LeftButton, {}, e.at(sum, "a", false));
        QVERIFY(e.model.links().empty());
    }

    void the_end_of_a_wire_moves_or_falls_off() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0}), sum = e.model.add_node("stub.add", {300, 60});
        e.model.connect_sockets({a, "out", true}, {sum, "a", false});
        e.view.frame_all();
        const int steps = e.model.undo_stack().index();
        e.drag(e.at(sum, "a", false), e.at(sum, "b", false));
        QCOMPARE(e.model.links(), std::vector<LinkId>({{{a, "out"}, {sum, "b"}}}));
        QCOMPARE(e.model.undo_stack().index(), steps + 1);
        e.drag(e.at(sum, "b", false), e.at(sum, "b", false) - QPoint(70, 120));
        QVERIFY(e.model.links().empty());
        QVERIFY(!e.view.search()->isVisible());
    }

    void tab_search_adds_a_node() {
        tests::Editor e;
        QCOMPARE(e.add_by_search("counter"), NodeId("counter"));
        QVERIFY(!e.view.search()->isVisible());
        QCOMPARE(e.scene.selected_nodes(), std::vector<NodeId>{"counter"});
        QCOMPARE(e.window.params().node(), NodeId("counter"));
        e.trigger("undo");
        QVERIFY(e.model.node_ids().empty());
    }

    void double_click_on_nothing_opens_the_search_there() {
        tests::Editor e;
        const QPoint point(300, 250);
        QTest::mouseDClick(e.view.viewport(), Qt::LeftButton, {}, point);
        QVERIFY(e.view.search()->isVisible());
        QTest::keyClicks(e.view.search()->field(), "kinds");
        QTest::keyClick(e.view.search()->field(), Qt::Key_Return);
        const QPointF wanted = e.view.mapToScene(point);
        QVERIFY((e.model.position("kinds") - wanted).manhattanLength() < 2);
    }

    void escape_closes_the_search_and_adds_nothing() {
        tests::Editor e;
        QTest::keyClick(&e.view, Qt::Key_Tab);
        QVERIFY(e.view.search()->isVisible());
        QTest::keyClick(e.view.search()->field(), Qt::Key_Escape);
        QVERIFY(!e.view.search()->isVisible());
        QVERIFY(e.model.node_ids().empty());
    }

    void a_wire_dropped_on_nothing_lists_what_fits_and_connects_it() {
        tests::Editor e;
        const NodeId read = e.model.add_node("stub.read", {0, 0});
        e.model.add_node("stub.add", {500, 300});
        e.view.frame_all();
        e.drag(e.at(read, "text", true), e.at(read, "text", true) + QPoint(120, 90));
        QVERIFY(e.view.search()->isVisible());
        QStringList types;
        for (int i = 0; i < e.view.search()->list()->count(); ++i)
            types.push_back(e.view.search()->list()->item(i)->data(Qt::UserRole).toString());
        QVERIFY(types.contains("stub.measure"));  // has a text input
        QVERIFY(!types.contains("stub.add"));
        const int steps = e.model.undo_stack().index();
        QTest::keyClicks(e.view.search()->field(), "measure");
        QTest::keyClick(e.view.search()->field(), Qt::Key_Return);
        QCOMPARE(e.model.links(), std::vector<LinkId>({{{read, "text"}, {"measure", "note"}}}));
        QCOMPARE(e.model.undo_stack().index(), steps + 1);
    }

    void dragging_nodes_moves_all_selected_in_one_step() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0}), sum = e.model.add_node("stub.add", {300, 60});
        e.view.frame_all();
        e.trigger("select_all");
        const int steps = e.model.undo_stack().index();
        e.drag(e.title(a), e.title(a) + QPoint(50, 30));
        QCOMPARE(e.model.undo_stack().index(), steps + 1);
        const QPointF moved = e.model.position(a);
        QVERIFY(moved.x() > 20 && moved.y() > 10);
        QCOMPARE(e.model.position(sum) - QPointF(300, 60), moved);
        e.trigger("undo");
        QCOMPARE(e.model.position(a), QPointF(0, 0));
        QCOMPARE(e.scene.item(a)->pos(), QPointF(0, 0));
    }

    void rubber_band_selects_and_delete_removes_with_links() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0}), sum = e.model.add_node("stub.add", {300, 0});
        e.model.connect_sockets({a, "out", true}, {sum, "a", false});
        e.view.frame_all();
        const QRectF card = e.scene.item(a)->card_in_scene();
        e.drag(e.at(card.topLeft()) - QPoint(12, 12), e.at(card.bottomRight()) + QPoint(12, 12));
        QVERIFY(std::ranges::count(e.scene.selected_nodes(), a) == 1);
        QVERIFY(std::ranges::count(e.scene.selected_nodes(), sum) == 0);
        QTest::keyClick(&e.view, Qt::Key_Delete);
        QCOMPARE(e.model.node_ids(), std::vector<NodeId>{sum});
        QVERIFY(e.model.links().empty());
        e.trigger("undo");
        QCOMPARE(e.model.links().size(), 1u);
    }

    void a_wire_can_be_clicked_and_deleted() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0}), sum = e.model.add_node("stub.add", {400, 0});
        e.model.connect_sockets({a, "out", true}, {sum, "a", false});
        e.view.frame_all();
        QTest::mouseClick(e.view.viewport(), Qt::LeftButton, {}, (e.at(a, "out", true) + e.at(sum, "a", false)) / 2);
        QCOMPARE(e.scene.selected_links().size(), 1u);
        QTest::keyClick(&e.view, Qt::Key_Delete);
        QVERIFY(e.model.links().empty());
        QCOMPARE(e.model.node_ids().size(), 2u);
    }

    void the_wheel_zooms_at_the_cursor() {
        tests::Editor e;
        e.model.add_node("stub.constant", {0, 0});
        e.view.frame_all();
        const QPoint cursor(200, 150);
        const QPointF before = e.view.mapToScene(cursor);
        const qreal scale = e.view.scale_factor();
        QWheelEvent wheel(cursor, e.view.viewport()->mapToGlobal(cursor), {}, {0, 360}, Qt::NoButton, {},
                          Qt::NoScrollPhase, false);
        QApplication::sendEvent(e.view.viewport(), &wheel);
        QVERIFY(e.view.scale_factor() > scale * 1.3);
        QVERIFY((e.view.mapToScene(cursor) - before).manhattanLength() < 3);
    }

    void the_middle_button_pans() {
        tests::Editor e;
        e.model.add_node("stub.constant", {0, 0});
        e.view.frame_all();
        const QPoint before = e.title("constant");
        e.drag({300, 300}, {360, 340}, Qt::MiddleButton);
        QVERIFY((e.title("constant") - before - QPoint(60, 40)).manhattanLength() <= 3);
        QCOMPARE(e.model.position("constant"), QPointF(0, 0));
    }

    void framing_shows_every_node() {
        tests::Editor e;
        e.model.add_node("stub.constant", {-4000, -900});
        e.model.add_node("stub.add", {5000, 2500});
        QTest::keyClick(&e.view, Qt::Key_Home);
        for (const char* id : {"constant", "add"}) QVERIFY(e.view.viewport()->rect().contains(e.title(id)));
    }

    void copy_paste_and_duplicate_go_through_the_clipboard() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0}), sum = e.model.add_node("stub.add", {300, 0});
        e.model.connect_sockets({a, "out", true}, {sum, "a", false});
        e.trigger("select_all");
        e.trigger("copy");
        e.trigger("paste");
        QCOMPARE(e.model.node_ids().size(), 4u);
        QCOMPARE(e.model.links().size(), 2u);
        QCOMPARE(e.scene.selected_nodes().size(), 2u);
        e.trigger("duplicate");
        QCOMPARE(e.model.node_ids().size(), 6u);
        e.trigger("cut");
        QCOMPARE(e.model.node_ids().size(), 4u);
    }

    void everything_paints() {
        tests::Editor e;
        e.model.set_document(nodes::Document::from_json(R"({"heddle": 1, "nodes": {
            "a": {"type": "stub.constant", "version": 1}, "bad": {"type": "stub.failing", "version": 1},
            "odd": {"type": "no.such", "version": 1}, "ramp": {"type": "stub.ramp", "version": 1}},
            "links": [{"from": "a.out", "to": "bad.in"}, {"from": "bad.out", "to": "odd.x"},
                      {"from": "gone.y", "to": "ramp.blue"}]})"));
        e.window.run_selected();
        e.scene.select({"ramp"});
        e.window.run_selected();
        QVERIFY(e.wait_for_run());
        for (const qreal zoom : {0.1, 0.5, 1.0, 3.0}) {
            e.view.zoom_by(zoom / e.view.scale_factor(), {100, 100});
            QVERIFY(!e.window.grab().isNull());
        }
    }
};

HEDDLE_TEST(canvas, CanvasTest)
#include "canvas.moc"
