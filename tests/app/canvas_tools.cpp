// Ways around a graph: find, minimap, bookmarks, bends in wires, the grid, and everything by the keyboard.
#include <QMenu>
#include <QSettings>
#include <cmath>

#include "app/model/find.h"
#include "app/model/search.h"
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

void key(tests::Editor& e, Qt::Key key, Qt::KeyboardModifiers modifiers = {}) { QTest::keyClick(&e.view, key, modifiers); }

QStringList entries(const QListWidget* list) {
    QStringList texts;
    for (int i = 0; i < list->count(); ++i) texts << list->item(i)->text();
    return texts;
}

}  // namespace

class CanvasToolsTest : public QObject {
    Q_OBJECT

private slots:
    void find_looks_into_titles_values_notes_and_subgraphs() {
        tests::register_editor_stubs();
        GraphModel model;
        const NodeId a = model.add_node("stub.constant", {300, 0}), b = model.add_node("stub.add", {0, 0}), note = model.add_node("flow.note", {600, 0});
        model.set_param(note, "text", "first line\nlook at the apples");
        model.set_param(a, "value", 4711);
        const auto nodes = [&](const QString& query) {
            QStringList ids;
            for (const FindHit& hit : find_nodes(model.whole(), query)) {
                QStringList path;
                for (const NodeId& use : hit.uses) path << qt(use);
                ids << (path << qt(hit.node)).join('/');
            }
            return ids;
        };
        QCOMPARE(nodes("apples"), QStringList{"note"});
        QCOMPARE(nodes("4711"), QStringList{"constant"});
        QCOMPARE(nodes("STUB."), (QStringList{"add", "constant"}));      // by their place
        QCOMPARE(nodes("look first"), QStringList{"note"});              // every word, in any order
        QVERIFY(nodes("").isEmpty() && nodes("nothing like it").isEmpty());
        model.connect_sockets({a, "out", true}, {b, "a", false});
        const NodeId use = model.group({a, b});
        QCOMPARE(nodes("4711"), QStringList{qt(use) + "/constant"});
        QCOMPARE(find_nodes(model.whole(), "stub", 1).size(), 1u);
        QVERIFY(find_nodes(model.whole(), "apples").front().where.contains("look at the apples"));
    }

    void the_find_bar_goes_from_hit_to_hit_through_subgraphs() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0}), b = e.model.add_node("stub.add", {300, 0}), c = e.model.add_node("stub.add", {9000, 5000});
        e.model.connect_sockets({a, "out", true}, {b, "a", false});
        const NodeId use = e.model.group({a, b});
        e.view.frame_all();
        key(e, Qt::Key_F, Qt::ControlModifier);
        QVERIFY(e.view.find_bar().isVisible());
        QTest::keyClicks(e.view.find_bar().field(), "stub.add");
        QCOMPARE(e.view.find_bar().count_text(), QString("1 of 2"));
        QCOMPARE(e.scene.selected_nodes(), std::vector<NodeId>{c});
        QVERIFY(e.view.viewport()->rect().contains(e.title(c)));
        QTest::keyClick(e.view.find_bar().field(), Qt::Key_Return);
        QCOMPARE(e.model.levels().size(), 1u);
        QCOMPARE(e.model.levels().front().use, use);
        QCOMPARE(e.scene.selected_nodes(), std::vector<NodeId>{b});
        QTest::keyClick(e.view.find_bar().field(), Qt::Key_Return);      // around
        QVERIFY(e.model.levels().empty());
        QTest::keyClick(e.view.find_bar().field(), Qt::Key_Escape);
        QVERIFY(!e.view.find_bar().isVisible());
        e.trigger("find_previous");
        QCOMPARE(e.model.levels().size(), 1u);
    }

    void the_minimap_is_drawn_once_an_edit_and_takes_the_view_along() {
        tests::Editor e;
        for (int i = 0; i < 30; ++i) e.model.add_node("stub.constant", {i % 6 * 900.0, i / 6 * 700.0});
        e.view.zoom_by(1 / e.view.scale_factor(), {0, 0});
        e.trigger("minimap");
        Minimap& map = e.view.minimap();
        QVERIFY(map.isVisible());
        QTRY_VERIFY(map.times_drawn() > 0);
        const int drawn = map.times_drawn();
        const QPoint corner(map.width() - 30, map.height() - 30);
        const QPointF wanted = map.to_scene(corner);
        QTest::mouseClick(&map, Qt::LeftButton, {}, corner);
        const QPointF middle = e.view.mapToScene(e.view.viewport()->rect().center());
        QVERIFY2((middle - wanted).manhattanLength() < 4, qPrintable(QString("%1 %2").arg(middle.x()).arg(wanted.x())));
        e.view.pan(Toward::Left);
        map.repaint();
        QCOMPARE(map.times_drawn(), drawn);      // moving the view draws no node
        e.model.add_node("stub.add", {0, 0});
        QTRY_COMPARE(map.times_drawn(), drawn + 1);
        QVERIFY(QSettings().value("minimap").toBool());
        e.trigger("minimap");
        QVERIFY(!map.isVisible());
    }

    void bookmarks_are_the_documents_and_lead_into_subgraphs() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0}), b = e.model.add_node("stub.add", {300, 0});
        e.model.connect_sockets({a, "out", true}, {b, "a", false});
        const NodeId use = e.model.group({a, b});
        e.model.enter(use);
        e.view.look_at({150, 40});
        const QPointF middle = e.view.bookmark().centre;
        const int steps = e.model.undo_stack().index();
        key(e, Qt::Key_3, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(e.model.undo_stack().index(), steps + 1);
        QCOMPARE(e.model.levels().size(), 1u);      // it is an edit of the whole, seen from here
        e.model.leave();
        e.view.look_at({9000, 9000});
        key(e, Qt::Key_3, Qt::ControlModifier);
        QCOMPARE(e.model.levels().size(), 1u);
        QVERIFY((e.view.bookmark().centre - middle).manhattanLength() < 4);
        const auto again = nodes::Document::from_json(e.model.whole().to_json());
        QVERIFY(bookmark_of(again, 3) && !bookmark_of(again, 4));
        key(e, Qt::Key_4, Qt::ControlModifier);
        QVERIFY(e.window.messages().text().contains("4"));
        QVERIFY(!bookmark_of(nodes::Document::from_json(R"({"heddle": 1, "bookmarks": {"1": {"x": "a", "y": 1, "scale": 0}}})"), 1));
    }

    void a_double_click_on_a_wire_bends_it() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0}), sum = e.model.add_node("stub.add", {500, 200});
        e.model.connect_sockets({a, "out", true}, {sum, "a", false});
        e.view.frame_all();
        const int steps = e.model.undo_stack().index();
        QTest::mouseDClick(e.view.viewport(), Qt::LeftButton, {}, (e.at(a, "out", true) + e.at(sum, "a", false)) / 2);
        QCOMPARE(e.model.undo_stack().index(), steps + 1);
        QCOMPARE(e.model.node_ids().size(), 3u);
        QCOMPARE(e.model.links().size(), 2u);
        QVERIFY(e.model.look(e.scene.selected_nodes().front()).bend);
        QVERIFY(!e.view.search()->isVisible());
        e.trigger("undo");
        QCOMPARE(e.model.links(), std::vector<LinkId>({{{a, "out"}, {sum, "a"}}}));
    }

    void snapping_puts_dragged_nodes_on_the_grid() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {3, 7});
        e.view.zoom_by(1 / e.view.scale_factor(), {0, 0});
        e.view.look_at({0, 0});
        e.trigger("snap");
        e.drag(e.title(a), e.title(a) + QPoint(47, 33));
        const QPointF at = e.model.position(a);
        QVERIFY(std::fmod(at.x(), 20) == 0 && std::fmod(at.y(), 20) == 0 && at != QPointF(3, 7));
        e.trigger("snap");
        e.drag(e.title(a), e.title(a) + QPoint(7, 3));
        QVERIFY(std::fmod(e.model.position(a).x(), 20) != 0);
    }

    void arrows_go_along_wires_and_to_neighbours() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0}), b = e.model.add_node("stub.constant", {0, 300}), sum = e.model.add_node("stub.add", {400, 900});
        e.model.connect_sockets({b, "out", true}, {sum, "a", false});
        e.view.frame_all();
        e.scene.select({a});
        const auto is = [&](const NodeId& id) { return e.scene.selected_nodes() == std::vector<NodeId>{id}; };
        key(e, Qt::Key_Down);
        QVERIFY(is(b));
        key(e, Qt::Key_Right);
        QVERIFY(is(sum));
        key(e, Qt::Key_Left);
        QVERIFY(is(b));
        key(e, Qt::Key_Up);
        QVERIFY(is(a));
        key(e, Qt::Key_Up);      // nothing there
        QVERIFY(is(a));
        e.scene.select({});
        key(e, Qt::Key_Right);   // from nowhere: what is in the middle
        QCOMPARE(e.scene.selected_nodes().size(), 1u);
    }

    void shift_and_arrows_move_nodes_in_one_step() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0});
        e.scene.select({a});
        const int steps = e.model.undo_stack().index();
        for (int i = 0; i < 3; ++i) key(e, Qt::Key_Right, Qt::ShiftModifier);
        QCOMPARE(e.model.position(a), QPointF(60, 0));
        QCOMPARE(e.model.undo_stack().index(), steps + 1);
        e.trigger("undo");
        QCOMPARE(e.model.position(a), QPointF(0, 0));
    }

    void wires_are_made_and_cut_by_the_keyboard() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0}), sum = e.model.add_node("stub.add", {300, 0});
        e.model.add_node("stub.read", {0, 300});
        e.scene.select({a});
        key(e, Qt::Key_C);
        QVERIFY(e.view.connector()->isVisible());
        QTest::keyClicks(e.view.connector()->field(), "add.b");
        QVERIFY2(entries(e.view.connector()->list()).front().contains("add.b"), qPrintable(entries(e.view.connector()->list()).join("|")));
        QTest::keyClick(e.view.connector()->field(), Qt::Key_Return);
        QCOMPARE(e.model.links(), std::vector<LinkId>({{{a, "out"}, {sum, "b"}}}));
        key(e, Qt::Key_C);      // a new node, by the same list
        QTest::keyClicks(e.view.connector()->field(), "counter");
        QTest::keyClick(e.view.connector()->field(), Qt::Key_Return);
        QVERIFY(e.model.contains("counter"));
        QCOMPARE(e.model.links_of("counter").size(), 1u);
        QCOMPARE(e.scene.selected_nodes(), std::vector<NodeId>{"counter"});
        e.scene.select({a});
        key(e, Qt::Key_C, Qt::ShiftModifier);
        QVERIFY(e.model.links().empty());
        e.trigger("undo");
        QCOMPARE(e.model.links().size(), 2u);
    }

    void the_search_knows_names_of_other_tools_and_papers() {
        tests::register_editor_stubs();
        const auto first = [](const QString& query) {
            const auto found = search_types(query);
            return found.empty() ? std::string() : found.front()->info().id;
        };
        QCOMPARE(first("CheckpointLoaderSimple"), std::string("model.load"));
        QCOMPARE(first("ksampler"), std::string("sample.run"));
        QCOMPARE(first("VAEDecode"), std::string("vae.decode"));
        QCOMPARE(first("perp-neg"), std::string("guidance.perpendicular"));
        QCOMPARE(first("lycoris"), std::string("adapt.lora"));
        QCOMPARE(other_name("ksampler", search_types("ksampler").front()->info()), QString("KSampler"));
        QVERIFY(other_name("sample", search_types("sample").front()->info()).isEmpty());
    }

    void menus_of_the_right_button_offer_what_fits() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0}), sum = e.model.add_node("stub.add", {500, 0});
        e.model.connect_sockets({a, "out", true}, {sum, "a", false});
        e.model.add_frame({sum}, "F");
        const auto texts = [&](QPointF at) {
            QStringList list;
            const auto menu = e.window.canvas_actions().menu_at(at);
            for (const QAction* action : menu->actions()) list << action->text().remove('&');
            return list;
        };
        QVERIFY(texts(e.scene.item(a)->card_in_scene().center()).contains("Bypass"));
        QCOMPARE(e.scene.selected_nodes(), std::vector<NodeId>{a});
        QVERIFY(texts(e.scene.frame_items().begin()->second->title_box().center()).contains("Rename"));
        QVERIFY(texts((e.scene.socket_position({a, "out", true}) + e.scene.socket_position({sum, "a", false})) / 2).contains("Add Reroute"));
        QVERIFY(texts({-3000, -3000}).contains("Add Node..."));
    }
};

HEDDLE_TEST(canvas_tools, CanvasToolsTest)
#include "canvas_tools.moc"
