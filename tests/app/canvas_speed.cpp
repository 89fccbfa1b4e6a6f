// What drawing and opening large graphs may cost, counted, not timed: cards laid out, nodes painted, pictures drawn.
#include "app/panels/canvas_bench.h"
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

constexpr int many = 1000;

struct Large : tests::Editor {
    Large() {
        model.set_document(bench_graph(many));
        (void)QTest::qWaitFor([this] { return !scene.laying_out() && !model.checking(); }, 60000);
        view.frame_all();
        QApplication::processEvents();
        scene.counts() = {};
    }
    void at_scale(qreal scale) {
        view.setTransform(QTransform::fromScale(scale, scale));
        view.centerOn(scene.content().center());
    }
    // Exactly one painting of the whole canvas.
    CanvasCounts frame() {
        scene.counts() = {};
        view.viewport()->repaint();
        return scene.counts();
    }
};

}  // namespace

class CanvasSpeedTest : public QObject {
    Q_OBJECT

private slots:
    void opening_lays_out_each_card_once() {
        tests::Editor e;
        e.scene.counts() = {};
        e.model.set_document(bench_graph(many));
        QTRY_VERIFY(!e.scene.laying_out());
        QCOMPARE(e.scene.counts().layouts, many);
        QCOMPARE(e.model.links().size() > 900, true);
        QVERIFY(e.scene.frame_items().size() > 10);
    }

    void far_away_no_pictures_are_drawn() {
        Large e;
        e.at_scale(0.1);
        const CanvasCounts counts = e.frame();
        QVERIFY2(counts.nodes_painted > 100 && counts.nodes_painted <= many, qPrintable(QString::number(counts.nodes_painted)));
        QCOMPARE(counts.pictures_drawn, 0);
        QCOMPARE(counts.layouts, 0);
    }

    void what_is_out_of_sight_is_not_painted() {
        Large e;
        e.at_scale(1);
        const CanvasCounts counts = e.frame();
        QVERIFY2(counts.nodes_painted > 0 && counts.nodes_painted < 60, qPrintable(QString::number(counts.nodes_painted)));
    }

    void a_second_frame_draws_no_node_anew() {
        Large e;
        e.at_scale(0.7);
        QVERIFY(e.frame().pictures_drawn > 0);
        const CanvasCounts again = e.frame();
        QVERIFY(again.nodes_painted > 0);
        QCOMPARE(again.pictures_drawn, 0);
        e.view.pan(Toward::Right);      // 40 pixels: at most one more column
        const CanvasCounts moved = e.frame();
        QVERIFY2(moved.pictures_drawn <= moved.nodes_painted / 2, qPrintable(QString::number(moved.pictures_drawn)));
    }

    void zooming_uses_the_pictures_there_are_and_rest_draws_them_anew() {
        Large e;
        e.at_scale(0.7);
        e.frame();
        e.view.zoom_by(1.1, e.view.viewport()->rect().center());
        QVERIFY(e.scene.hurrying());
        QCOMPARE(e.frame().pictures_drawn, 0);
        QTRY_VERIFY(!e.scene.hurrying());
        e.scene.counts() = {};
        QTRY_VERIFY(e.frame().pictures_drawn == 0);      // they have been, in the meantime or just now
    }

    void an_edit_draws_what_it_touches() {
        Large e;
        e.at_scale(0.7);
        e.frame();
        NodeId seen;
        for (const NodeId& id : e.model.node_ids())
            if (e.view.viewport()->rect().contains(e.title(id)) && e.model.look(id).title == "Sample") seen = id;
        if (seen.empty())
            for (const NodeId& id : e.model.node_ids())
                if (e.view.viewport()->rect().contains(e.title(id))) seen = id;
        QVERIFY(!seen.empty());
        e.scene.counts() = {};
        e.model.set_node_colour({seen}, Qt::red);
        QVERIFY2(e.scene.counts().layouts <= 1, qPrintable(QString::number(e.scene.counts().layouts)));
        const CanvasCounts counts = e.frame();
        QCOMPARE(counts.pictures_drawn, 1);
        e.scene.select({seen});
        QCOMPARE(e.frame().pictures_drawn, 1);
        e.model.validate_now();      // nothing new is wrong
        QCOMPARE(e.frame().pictures_drawn, 0);
    }

    void a_picture_shows_what_painting_shows() {
        Large e;
        e.at_scale(1);
        e.frame();
        const QImage kept = e.view.viewport()->grab().toImage();
        for (const NodeId& id : e.model.node_ids()) e.scene.item(id)->forget_picture();
        const QImage anew = e.view.viewport()->grab().toImage();
        QCOMPARE(kept, anew);
    }
};

HEDDLE_TEST(canvas_speed, CanvasSpeedTest)
#include "canvas_speed.moc"
