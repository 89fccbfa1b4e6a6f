// Frames on the canvas: made, moved, named, joined and left by gestures, one undo step each.
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

// Two constants in a frame, and an adder far to the right.
struct Framed : tests::Editor {
    NodeId a = model.add_node("stub.constant", {0, 0}), b = model.add_node("stub.constant", {0, 200}), sum = model.add_node("stub.add", {700, 0});
    FrameId frame = model.add_frame({a, b}, "Numbers");

    Framed() { view.frame_all(); }
    QPoint frame_title_place() { return at(scene.frame_item(frame)->title_box().center()); }
    std::vector<NodeId> members() {
        const auto at = model.frames().find(frame);
        return at == model.frames().end() ? std::vector<NodeId>() : at->second.nodes;
    }
    int steps() { return model.undo_stack().index(); }
};

}  // namespace

class FramesOnCanvasTest : public QObject {
    Q_OBJECT

private slots:
    void the_selection_gets_a_frame_whose_title_is_typed() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0});
        e.model.add_node("stub.add", {300, 0});
        e.view.frame_all();
        e.scene.select({a});
        const int steps = e.model.undo_stack().index();
        e.trigger("frame");
        QCOMPARE(e.model.frames().size(), 1u);
        QCOMPARE(e.model.undo_stack().index(), steps + 1);
        QVERIFY(e.view.frame_title()->isVisible());
        QTest::keyClicks(e.view.frame_title(), "Prompts");
        QTest::keyClick(e.view.frame_title(), Qt::Key_Return);
        QVERIFY(!e.view.frame_title()->isVisible());
        QCOMPARE(e.model.frames().begin()->second.title, std::string("Prompts"));
        e.trigger("undo");
        e.trigger("undo");
        QVERIFY(e.model.frames().empty());
        QVERIFY(e.scene.frame_items().empty());
        e.trigger("redo");
        QVERIFY(e.scene.frame_item(e.model.frames().begin()->first));
    }

    void escape_leaves_the_title_as_it_was() {
        Framed e;
        QTest::mouseDClick(e.view.viewport(), Qt::LeftButton, {}, e.frame_title_place());
        QVERIFY(e.view.frame_title()->isVisible());
        QTest::keyClicks(e.view.frame_title(), "Other");
        QTest::keyClick(e.view.frame_title(), Qt::Key_Escape);
        QVERIFY(!e.view.frame_title()->isVisible());
        QCOMPARE(e.model.frames().at(e.frame).title, std::string("Numbers"));
    }

    void a_frame_is_as_large_as_its_nodes() {
        Framed e;
        const QRectF box = e.scene.frame_item(e.frame)->box();
        QVERIFY(box.contains(e.scene.item(e.a)->card_in_scene()) && box.contains(e.scene.item(e.b)->card_in_scene()));
        QVERIFY(!box.intersects(e.scene.item(e.sum)->card_in_scene()));
        e.model.move({{e.b, {100, 600}}});
        QVERIFY(e.scene.frame_item(e.frame)->box().contains(e.scene.item(e.b)->card_in_scene()));
        e.trigger("undo");
        QCOMPARE(e.scene.frame_item(e.frame)->box(), box);
    }

    void the_title_moves_the_frame_with_its_nodes_in_one_step() {
        Framed e;
        const int steps = e.steps();
        const QPointF a = e.model.position(e.a), b = e.model.position(e.b), sum = e.model.position(e.sum);
        const QRectF box = e.scene.frame_item(e.frame)->box();
        e.drag(e.frame_title_place(), e.frame_title_place() + QPoint(60, 40));
        QCOMPARE(e.steps(), steps + 1);
        const QPointF way = e.model.position(e.a) - a;
        QVERIFY(way.x() > 20 && way.y() > 10);
        QCOMPARE(e.model.position(e.b) - b, way);
        QCOMPARE(e.model.position(e.sum), sum);
        QCOMPARE(e.scene.frame_item(e.frame)->box(), box.translated(way));
        QCOMPARE(e.members(), (std::vector<NodeId>{e.a, e.b}));
        e.trigger("undo");
        QCOMPARE(e.scene.frame_item(e.frame)->box(), box);
    }

    void a_node_dropped_into_a_frame_joins_and_dragged_out_leaves() {
        Framed e;
        e.model.move({{e.b, {300, 300}}});      // room in the middle
        e.view.frame_all();
        const int steps = e.steps();
        e.drag(e.title(e.sum), e.at(e.scene.frame_item(e.frame)->box().center()));
        QCOMPARE(e.steps(), steps + 1);
        QCOMPARE(e.members(), (std::vector<NodeId>{e.sum, e.a, e.b}));
        const QPointF within = e.model.position(e.sum);
        e.drag(e.title(e.sum), e.title(e.sum) + QPoint(12, 8));     // inside it moves only
        QVERIFY(e.model.position(e.sum) != within);
        QCOMPARE(e.members().size(), 3u);
        e.drag(e.title(e.sum), e.title(e.sum) + QPoint(500, 200));
        QCOMPARE(e.members(), (std::vector<NodeId>{e.a, e.b}));
        e.trigger("undo");
        QCOMPARE(e.members().size(), 3u);
    }

    void all_nodes_moved_together_keep_their_frame() {
        Framed e;
        e.trigger("select_all");
        e.drag(e.title(e.a), e.title(e.a) + QPoint(150, 120));
        QCOMPARE(e.members(), (std::vector<NodeId>{e.a, e.b}));
    }

    void a_click_on_the_title_takes_all_and_modes_count_for_all() {
        Framed e;
        QTest::mouseClick(e.view.viewport(), Qt::LeftButton, {}, e.frame_title_place());
        QCOMPARE(e.scene.selected_nodes(), (std::vector<NodeId>{e.a, e.b}));
        QCOMPARE(e.scene.selected_frames(), std::set<FrameId>{e.frame});
        const int steps = e.steps();
        e.trigger("bypass");
        QCOMPARE(e.steps(), steps + 1);
        for (const NodeId& id : {e.a, e.b}) QCOMPARE(e.model.document().node(id).mode, nodes::NodeMode::Bypassed);
        QCOMPARE(e.model.document().node(e.sum).mode, nodes::NodeMode::On);
        e.trigger("colour_blue");
        QVERIFY(!e.model.frames().at(e.frame).colour.empty());
        QVERIFY(!e.model.look(e.a).colour.isValid());
        e.trigger("unframe");
        QVERIFY(e.model.frames().empty());
        QCOMPARE(e.model.node_ids().size(), 3u);
        e.trigger("undo");
        QCOMPARE(e.members().size(), 2u);
    }

    void removed_nodes_take_their_frame_along() {
        Framed e;
        const QByteArray before = e.model.document().to_json();
        e.model.remove({e.a});
        QCOMPARE(e.members(), std::vector<NodeId>{e.b});
        e.model.remove({e.b});
        QVERIFY(e.model.frames().empty());
        QVERIFY(!e.model.document().to_json().contains("frame"));
        e.trigger("undo");
        e.trigger("undo");
        QCOMPARE(e.model.document().to_json(), before);
        QVERIFY(e.scene.frame_item(e.frame));
    }

    void copies_have_frames_of_their_own() {
        Framed e;
        const auto pasted = e.model.paste(e.model.copy({e.a, e.b}), {2000, 0});
        QCOMPARE(e.model.frames().size(), 2u);
        const FrameId made = e.model.frame_of(pasted.front());
        QVERIFY(!made.empty() && made != e.frame);
        QCOMPARE(e.model.frames().at(made).title, std::string("Numbers"));
        const auto part = e.model.paste(e.model.copy({e.a}), {2000, 900});      // a part of a frame is none
        QCOMPARE(e.model.frame_of(part.front()), FrameId());
        const auto beside = e.model.duplicate({e.a});
        QCOMPARE(e.model.frame_of(beside.front()), e.frame);
    }

    void a_node_added_in_a_frame_belongs_to_it() {
        Framed e;
        e.model.move({{e.b, {300, 400}}});
        e.view.frame_all();
        const NodeId made = e.add_at(e.at(e.scene.frame_item(e.frame)->box().center()), "counter");
        QCOMPARE(e.model.frame_of(made), e.frame);
        e.trigger("undo");
        QCOMPARE(e.members().size(), 2u);
    }

    void a_frame_around_a_frame_moves_it_and_its_nodes() {
        Framed e;
        e.scene.select({e.a, e.b, e.sum});
        e.trigger("frame");
        QTest::keyClicks(e.view.frame_title(), "Outer");
        QTest::keyClick(e.view.frame_title(), Qt::Key_Return);
        QCOMPARE(e.model.frames().size(), 2u);
        const FrameId outer = e.model.frames().at(e.frame).around;
        QCOMPARE(e.model.frames().at(outer).title, std::string("Outer"));
        QCOMPARE(e.members(), (std::vector<NodeId>{e.a, e.b}));
        e.view.frame_all();
        const FrameItem *big = e.scene.frame_item(outer), *small = e.scene.frame_item(e.frame);
        QVERIFY(big->box().contains(small->box()) && big->title_box().bottom() <= small->box().top());
        QVERIFY(big->zValue() < small->zValue());

        const int steps = e.steps();
        const QPointF a = e.model.position(e.a), sum = e.model.position(e.sum);
        const QRectF box = small->box(), around = big->box();
        e.drag(e.at(big->title_box().center()), e.at(big->title_box().center()) + QPoint(50, 30));
        QCOMPARE(e.steps(), steps + 1);
        const QPointF way = e.model.position(e.a) - a;
        QVERIFY(way.x() > 10 && way.y() > 5);
        QCOMPARE(e.model.position(e.sum) - sum, way);
        QCOMPARE(small->box(), box.translated(way));
        QCOMPARE(big->box(), around.translated(way));
        QCOMPARE(e.model.frames().at(e.frame).around, outer);
        e.trigger("undo");
        QCOMPARE(small->box(), box);

        // Of the two that are selected the one that was clicked is meant.
        QTest::mouseClick(e.view.viewport(), Qt::LeftButton, {}, e.at(big->title_box().center()));
        QCOMPARE(e.scene.selected_frames(), std::set<FrameId>{outer});
        e.trigger("unframe");
        QCOMPARE(e.model.frames().size(), 1u);
        QCOMPARE(e.model.frames().at(e.frame).around, FrameId());
        e.trigger("undo");
        QCOMPARE(e.model.frames().at(e.frame).around, outer);
    }

    void a_frame_is_dragged_into_another_and_out() {
        Framed e;
        const NodeId far = e.model.add_node("stub.add", {1500, 900});
        const FrameId other = e.model.add_frame({e.sum, far}, "Other");
        e.view.frame_all();
        const QPointF hold = e.scene.frame_item(e.frame)->title_box().center();
        const QPointF way = e.scene.frame_item(other)->box().center() - e.scene.frame_item(e.frame)->box().center();
        const int steps = e.steps();
        e.drag(e.at(hold), e.at(hold + way));
        QCOMPARE(e.steps(), steps + 1);
        QCOMPARE(e.model.frames().at(e.frame).around, other);
        QCOMPARE(e.members(), (std::vector<NodeId>{e.a, e.b}));
        QVERIFY(e.scene.frame_item(other)->box().contains(e.scene.frame_item(e.frame)->box()));
        e.drag(e.at(hold + way), e.at(hold + QPointF(0, -30)));
        QCOMPARE(e.model.frames().at(e.frame).around, FrameId());
        e.trigger("undo");
        QCOMPARE(e.model.frames().at(e.frame).around, other);
    }

    void a_frame_in_a_frame_alone_has_its_own_name_and_colour() {
        Framed e;
        e.scene.take_frame(e.frame);
        e.trigger("frame");      // around a frame
        QTest::keyClick(e.view.frame_title(), Qt::Key_Escape);
        const FrameId outer = e.model.frames().at(e.frame).around;
        QVERIFY(!outer.empty());
        QTest::mouseClick(e.view.viewport(), Qt::LeftButton, {}, e.frame_title_place());
        QCOMPARE(e.scene.selected_frames(), std::set<FrameId>{e.frame});
        e.trigger("colour_blue");
        QVERIFY(!e.model.frames().at(e.frame).colour.empty());
        QVERIFY(e.model.frames().at(outer).colour.empty());
    }

    void copies_of_nests_are_nests() {
        Framed e;
        e.model.add_frame({e.a, e.b, e.sum}, "Outer");
        const FrameId outer = e.model.frames().at(e.frame).around;
        const auto pasted = e.model.paste(e.model.copy({e.a, e.b, e.sum}), {3000, 0});
        QCOMPARE(e.model.frames().size(), 4u);
        const nodes::Frame& inner = e.model.frames().at(e.model.frame_of(pasted.back()));
        QCOMPARE(inner.title, std::string("Numbers"));
        QVERIFY(inner.around != outer && e.model.frames().at(inner.around).title == "Outer");
        const auto part = e.model.paste(e.model.copy({e.a, e.b}), {3000, 900});      // a part of the outer one
        QCOMPARE(e.model.frames().at(e.model.frame_of(part.front())).around, FrameId());
        const auto beside = e.model.duplicate({e.a, e.b});
        QCOMPARE(e.model.frames().at(e.model.frame_of(beside.front())).around, outer);
        QVERIFY(e.model.frame_of(beside.front()) != e.frame);
    }

    void the_corner_resizes_a_frame_in_one_step() {
        Framed e;
        e.view.zoom_by(0.5, {100, 100});
        const FrameItem* item = e.scene.frame_item(e.frame);
        const QRectF fitted = item->box();
        const int steps = e.steps();
        const QPointF by(120, 70);
        e.drag(e.at(item->grip().center()), e.at(item->grip().center() + by));
        QCOMPARE(e.steps(), steps + 1);
        QCOMPARE(item->box().topLeft(), fitted.topLeft());
        const QPointF grown = item->box().bottomRight() - fitted.bottomRight();
        QVERIFY2((grown - by).manhattanLength() < 10, qPrintable(QString("%1 %2").arg(grown.x()).arg(grown.y())));
        QCOMPARE(e.model.frames().at(e.frame).width, std::round(item->box().width()));
        QCOMPARE(e.members(), (std::vector<NodeId>{e.a, e.b}));

        // It is kept in files, moves along, and what is dropped in the room is in the frame, which does not grow by that.
        tests::Editor other;
        other.model.set_document(nodes::Document::from_json(e.model.document().to_json()));
        QCOMPARE(other.scene.frame_item(e.frame)->box().size(), item->box().size());
        const QRectF large = item->box();
        e.model.move({{e.a, {10, 20}}, {e.b, {10, 220}}});
        QCOMPARE(item->box(), large.translated(10, 20));
        e.model.undo_stack().undo();
        // Inwards no farther than its nodes, and then it follows them again.
        e.drag(e.at(item->grip().center()), e.at(item->grip().center() - QPointF(900, 30)));
        QCOMPARE(item->box().width(), fitted.width());
        QCOMPARE(e.model.frames().at(e.frame).width, 0.0);
        QVERIFY(item->box().height() > fitted.height());
        QTest::mouseDClick(e.view.viewport(), Qt::LeftButton, {}, e.at(item->grip().center()));
        QCOMPARE(item->box(), fitted);
        QVERIFY(!e.model.document().to_json().contains("\"height\""));
        for (int i = 0; i < 2; ++i) e.trigger("undo");
        QCOMPARE(item->box(), large);
        e.trigger("undo");
        QCOMPARE(item->box(), fitted);
    }

    void keys_resize_a_frame() {
        Framed e;
        const FrameItem* item = e.scene.frame_item(e.frame);
        const QRectF fitted = item->box();
        const auto press = [&](Qt::Key key) { QTest::keyClick(&e.view, key, Qt::AltModifier | Qt::ShiftModifier); };
        const int steps = e.steps();
        e.scene.select({e.sum});      // in no frame
        press(Qt::Key_Right);
        QCOMPARE(e.steps(), steps);
        QVERIFY(e.window.messages().text().contains("frame"));
        e.scene.take_frame(e.frame);
        for (int i = 0; i < 5; ++i) press(Qt::Key_Right);
        press(Qt::Key_Down);
        QVERIFY(std::abs(item->box().width() - fitted.width() - 100) <= 1 && std::abs(item->box().height() - fitted.height() - 20) <= 1);
        QCOMPARE(item->box().topLeft(), fitted.topLeft());
        press(Qt::Key_Left);
        QVERIFY(std::abs(item->box().width() - fitted.width() - 80) <= 1);
        QVERIFY(e.steps() > steps && e.steps() <= steps + 7);      // without a pause one; this machine may be slow
        const QRectF sized = item->box();
        while (e.steps() > steps) e.trigger("undo");
        QCOMPARE(item->box(), fitted);
        while (e.model.undo_stack().canRedo()) e.trigger("redo");
        QCOMPARE(item->box(), sized);
        const Gesture gesture = Gesture::next();
        const int now = e.steps();
        for (int i = 0; i < 3; ++i) e.scene.resize_frames({0, 20}, gesture);
        QCOMPARE(e.steps(), now + 1);
        e.trigger("undo");
        QCOMPARE(item->box(), sized);
        // Of a node alone it is the frame around it. Narrower than its content it does not get, and then follows that again.
        e.scene.select({e.a});
        for (int i = 0; i < 8; ++i) press(Qt::Key_Left);
        QCOMPARE(item->box().width(), fitted.width());
        QCOMPARE(e.model.frames().at(e.frame).width, 0.0);
        QVERIFY(e.model.frames().at(e.frame).height > fitted.height());
        const int before = e.steps();
        press(Qt::Key_Left);
        QCOMPARE(e.steps(), before);
        press(Qt::Key_Home);
        QCOMPARE(item->box(), fitted);
        QCOMPARE(e.steps(), before + 1);
        // The frame around it goes along.
        e.scene.select({e.a, e.b, e.sum});
        const FrameId outer = e.model.add_frame({e.a, e.b, e.sum}, "All");
        const QRectF around = e.scene.frame_item(outer)->box();
        e.scene.take_frame(e.frame);
        for (int i = 0; i < 3; ++i) press(Qt::Key_Down);
        for (int i = 0; i < 20; ++i) press(Qt::Key_Down);
        QVERIFY(e.scene.frame_item(outer)->box().height() > around.height());
        QCOMPARE(e.model.frames().at(outer).height, 0.0);
    }

    void frames_go_into_frames_by_the_menu() {
        Framed e;
        const NodeId far = e.model.add_node("stub.add", {1500, 900});
        const FrameId other = e.model.add_frame({e.sum}, "Other");
        const auto menu = [&] {
            auto* into = e.window.findChild<QMenu*>("into_frame");
            emit into->aboutToShow();
            return into;
        };
        const auto texts = [&] {
            QStringList all;
            for (const QAction* action : menu()->actions())
                if (!action->isSeparator()) all << action->text();
            return all;
        };
        e.scene.take_frame(e.frame);
        QCOMPARE(texts(), QStringList{"Other"});      // not into itself, and out of none
        const int steps = e.steps();
        menu()->actions().front()->trigger();
        QCOMPARE(e.steps(), steps + 1);
        QCOMPARE(e.model.frames().at(e.frame).around, other);
        e.scene.select({far});
        QCOMPARE(texts(), (QStringList{"Other \u203a Numbers", "Other"}));
        e.scene.take_frame(other);
        QCOMPARE(texts(), QStringList{"No other frames"});      // not into what is in it
        e.scene.take_frame(e.frame);
        QCOMPARE(texts(), QStringList{"&None"});
        menu()->actions().back()->trigger();
        QCOMPARE(e.model.frames().at(e.frame).around, FrameId());
        e.scene.select({far, e.sum});
        QCOMPARE(texts(), QStringList{"Numbers"});
        menu()->actions().front()->trigger();
        QCOMPARE(e.model.frame_of(far), e.frame);
        QCOMPARE(e.model.frame_of(e.sum), other);      // as a whole frame
        QCOMPARE(e.model.frames().at(other).around, e.frame);
    }

    void frames_live_in_subgraphs() {
        tests::Editor e;
        const NodeId a = e.model.add_node("stub.constant", {0, 0}), b = e.model.add_node("stub.add", {300, 0}), c = e.model.add_node("stub.add", {600, 0});
        e.model.connect_sockets({a, "out", true}, {b, "a", false});
        e.model.connect_sockets({b, "sum", true}, {c, "a", false});
        e.model.add_frame({a, b}, "Inside");
        const NodeId use = e.model.group({a, b});
        QVERIFY(e.scene.frame_items().empty());
        e.model.enter(use);
        QCOMPARE(e.scene.frame_items().size(), 1u);
        QCOMPARE(e.scene.frame_items().begin()->second->title(), QString("Inside"));
        e.model.set_frame_title(e.scene.frame_items().begin()->first, "Changed");
        e.model.leave();
        QVERIFY(e.scene.frame_items().empty());
        QVERIFY(e.model.document().to_json().contains("Changed"));
    }

    void a_subgraph_of_a_frame_undoes_exactly() {
        Framed e;
        const QByteArray before = e.model.document().to_json();
        e.model.group({e.a, e.b});
        e.trigger("undo");
        QCOMPARE(e.model.document().to_json(), before);
    }

    void frames_paint_at_every_size() {
        Framed e;
        for (const qreal zoom : {0.08, 0.3, 1.0, 3.0}) {
            e.view.zoom_by(zoom / e.view.scale_factor(), {100, 100});
            QVERIFY(!e.window.grab().isNull());
        }
    }
};

HEDDLE_TEST(frames, FramesOnCanvasTest)
#include "frames.moc"
