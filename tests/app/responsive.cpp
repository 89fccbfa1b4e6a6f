// How long the event loop is ever kept busy: while a model samples and somebody types, and with large graphs, whose cards are laid out in
// slices. Times are told, in milliseconds of the window's own thread, and decide nothing: the slices do.
#include <QDir>
#include <QPlainTextEdit>

#include "app/panels/block_watch.h"
#include "app/panels/canvas_bench.h"
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

constexpr int many = 1000, most_in_a_slice = 128;

bool settle(tests::Editor& e) {
    return QTest::qWaitFor([&] { return !e.scene.laying_out() && !e.model.checking(); }, 60000);
}

// Every node has a card that is laid out, every link a wire between the sockets that it joins.
void check_whole(tests::Editor& e) {
    for (const NodeId& id : e.model.node_ids()) {
        const NodeItem* item = e.scene.item(id);
        QVERIFY(item && !item->waits() && item->isVisible());
        QCOMPARE(item->shown_look().title, e.model.look(id).title);
        QCOMPARE(item->pos(), e.model.position(id));
    }
    std::set<LinkId> wires;
    for (const QGraphicsItem* any : e.scene.items())
        if (const auto* wire = qgraphicsitem_cast<const WireItem*>(any)) {
            QVERIFY(wire->isVisible() && wires.insert(*wire->link()).second);
            const QRectF ends = QRectF(e.scene.socket_position(wire->link()->source()), e.scene.socket_position(wire->link()->sink())).normalized();
            QVERIFY(wire->boundingRect().contains(ends.topLeft()) && wire->boundingRect().contains(ends.bottomRight()));
        }
    const auto links = e.model.links();
    QVERIFY(wires == std::set<LinkId>(links.begin(), links.end()));
    QCOMPARE(e.scene.frame_items().size(), e.model.frames().size());
}

}  // namespace

class ResponsiveTest : public QObject {
    Q_OBJECT

private slots:
    void typing_while_a_model_samples_loses_nothing() {
        const QTemporaryDir folder;
        tests::Editor e;
        e.window.runs().set_output_folder(folder.path());
        QVERIFY(e.window.open_example(HEDDLE_SOURCE_DIR "/resources/graphs/text-to-image.heddle"));
        e.scene.select({"prompt"});
        auto* field = e.window.params().editor("text")->findChild<QPlainTextEdit*>();
        field->selectAll();
        nodes::RunStatus ended{};
        connect(&e.window.runs(), &RunController::finished, this, [&](nodes::RunStatus status) { ended = status; });
        BlockWatch watch;
        e.trigger("run");
        const QString wanted = QStringLiteral("a blue heart, (soft light:1.2), on a loom; evening");
        int typed = 0;
        QVERIFY(QTest::qWaitFor([&] {
            if (typed < wanted.size()) QTest::keyClick(field, wanted[typed++].toLatin1());
            return !e.window.runs().running() && typed == wanted.size();
        }, 120000));
        QCOMPARE(field->toPlainText(), wanted);
        QCOMPARE(e.model.param("prompt", "text").toString(), wanted);
        qInfo("sampling: run ended %d, longest block %.1f ms (%.1f by the clock)", static_cast<int>(ended), watch.longest_ms(), watch.longest_wall_ms());
    }

    void examples_open() {
        tests::Editor e;
        double longest = 0;
        QString slowest;
        const QDir folder(QStringLiteral(HEDDLE_SOURCE_DIR "/resources/graphs"));
        const QStringList names = folder.entryList({"*.heddle"}, QDir::Files);
        QVERIFY(names.size() > 20);
        for (const QString& name : names) {
            bool opened = false;
            const double block = longest_block(e.window, [&] { opened = e.window.open_example(folder.filePath(name)); });
            QVERIFY2(opened, qPrintable(name));
            if (block > longest) longest = block, slowest = name;
        }
        qInfo("opening %lld examples: longest block %.1f ms, %s", static_cast<long long>(names.size()), longest, qPrintable(slowest));
    }

    void a_large_graph_comes_goes_and_returns_in_slices() {
        tests::Editor e;
        const nodes::Document document = bench_graph(many);
        const auto step = [&](const char* what, const std::function<void()>& act) {
            e.scene.counts() = {};
            const double block = longest_block(e.window, act);
            QVERIFY2(e.scene.counts().largest_slice > 0 && e.scene.counts().largest_slice <= most_in_a_slice, what);
            QVERIFY2(e.scene.counts().slices >= many / most_in_a_slice, what);
            qInfo("%s: longest block %.1f ms, %d slices", what, block, e.scene.counts().slices);
        };
        step("open", [&] {
            e.model.set_document(document);
            e.view.frame_all();
            QVERIFY(e.scene.laying_out());                              // not all at once, but every node is there
            for (const NodeId& id : document.node_ids()) QVERIFY(e.scene.item(id));
            QVERIFY(e.scene.counts().layouts <= most_in_a_slice * 3);
        });
        check_whole(e);
        QCOMPARE(e.scene.counts().layouts, many);
        const QTransform framed = e.view.viewportTransform();      // anew, now that sizes are known
        e.view.frame_all();
        QCOMPARE(e.view.viewportTransform(), framed);
        e.scene.select(e.model.node_ids());
        int told = 0;
        connect(&e.scene, &GraphScene::selectionChanged, this, [&] { ++told; });
        step("delete", [&] { e.trigger("delete"); });
        QCOMPARE(told, 1);
        QVERIFY(e.scene.empty() && e.scene.items().isEmpty());
        step("undo", [&] { e.trigger("undo"); });
        check_whole(e);
        QVERIFY(e.model.document() == document);
        step("redo", [&] { e.trigger("redo"); });
        QVERIFY(e.scene.items().isEmpty());
        e.trigger("undo");
        QVERIFY(settle(e));
        e.scene.select(e.model.node_ids());
        step("duplicate", [&] { e.trigger("duplicate"); });
        QCOMPARE(e.model.node_ids().size(), std::size_t(2 * many));
        check_whole(e);
    }

    // A file is read in a thread of its own: the window lives on, and nothing else is opened meanwhile.
    void a_large_file_is_read_beside_the_window() {
        const QTemporaryDir folder;
        const nodes::Document large = bench_graph(5 * many), small = bench_graph(3);
        const QString path = folder.filePath("large.heddle"), other = folder.filePath("small.heddle");
        large.save(path.toStdString());
        small.save(other.toStdString());
        tests::Editor e;
        QVERIFY(e.window.open_file(other));
        bool reading = false, opened = false, closed = true;
        const auto meanwhile = [&] {
            reading = e.model.document() == small;
            QVERIFY(!e.window.open_file(other));
            QVERIFY(e.window.messages().text().contains("another file"));
            e.window.drop_file(other, {});
            QVERIFY(e.model.document() == small);
            closed = e.window.close();
        };
        const double block = longest_block(e.window, [&] {
            QTimer::singleShot(0, this, meanwhile);
            opened = e.window.open_file(path);
        });
        QVERIFY(opened && reading && !closed);
        const QString copy = folder.filePath("copy.heddle");
        bool saved = false, again = true;
        const auto beside = [&] { again = e.window.save_to(other); };
        const double saving = longest_block(e.window, [&] {
            QTimer::singleShot(0, this, beside);
            saved = e.window.save_to(copy);
        });
        QVERIFY(saved && !again && !e.model.dirty());
        QVERIFY(nodes::Document::load(copy.toStdString()) == large && nodes::Document::load(other.toStdString()) == small);
        QVERIFY(e.window.open_file(path));
        QVERIFY(settle(e));
        QVERIFY(e.model.document() == large);
        QCOMPARE(e.model.path(), path);
        check_whole(e);
        qInfo("a file of %d: longest block %.1f ms to open, %.1f to save", 5 * many, block, saving);
        QVERIFY(e.window.open_file(other));
        QVERIFY(!e.window.open_file(folder.filePath("gone.heddle")));
        QVERIFY(e.model.document() == small && e.window.messages().text().contains("gone.heddle"));
    }

    void many_copies_are_made_beside_the_window() {
        tests::Editor e;
        const nodes::Document document = bench_graph(many);
        e.model.set_document(document);
        QVERIFY(settle(e));
        e.scene.select(e.model.node_ids());
        e.window.copy();
        std::size_t found = 0;
        const double block = longest_block(e.window, [&] {
            QTimer::singleShot(0, this, [&] {      // an edit that comes meanwhile is not lost
                found = e.model.node_ids().size();
                e.model.set_param("n0", "text", "changed");
            });
            e.trigger("duplicate");
        });
        QCOMPARE(found, std::size_t(many));
        qInfo("duplicate %d: longest block %.1f ms", many, block);
        QVERIFY(QTest::qWaitFor([&] { return e.scene.selected_nodes().size() == many; }));
        QCOMPARE(e.model.param("n0", "text").toString(), "changed");
        QCOMPARE(e.model.node_ids().size(), std::size_t(2 * many));
        QCOMPARE(e.model.links().size(), 2 * document.links().size());
        for (const NodeId& made : e.scene.selected_nodes()) QVERIFY(!document.contains(made));
        check_whole(e);
        const nodes::Document twice = e.model.document();
        e.window.paste();
        QCOMPARE(e.model.node_ids().size(), std::size_t(3 * many));
        QCOMPARE(e.model.links().size(), 3 * document.links().size());
        e.trigger("undo");
        QVERIFY(e.model.document() == twice);
        QByteArray broken = document.to_json();
        broken.chop(2);
        QVERIFY_EXCEPTION_THROWN(e.model.paste(broken, {}), gpu::Error);
        QVERIFY(e.model.document() == twice);
    }

    // What is done before all cards are there.
    void edits_in_the_middle_lose_nothing() {
        tests::Editor e;
        const nodes::Document document = bench_graph(many);
        e.model.set_document(document);
        QVERIFY(e.scene.laying_out());
        const NodeId late = document.node_ids().back(), gone = document.node_ids()[many / 2];
        e.model.rename(late, "renamed");
        e.model.remove({gone});
        e.model.move({{"renamed", {-700, -300}}});
        e.model.set_node_colour({"renamed"}, Qt::red);
        const NodeId made = e.model.add_node("stub.constant", {-400, -300});
        e.trigger("undo");                                             // of what was made
        e.trigger("redo");
        QVERIFY(e.scene.laying_out());
        e.scene.select({"renamed", made});
        QVERIFY(e.scene.item("renamed")->look().title.size() > 0);      // asking lays it out
        QVERIFY(!e.scene.item("renamed")->waits());
        QVERIFY(settle(e));
        check_whole(e);
        QVERIFY(!e.scene.item(gone) && !e.scene.item(late));
        QCOMPARE(e.scene.selected_nodes(), (std::vector<NodeId>{made, "renamed"}));
        while (e.model.undo_stack().canUndo()) e.trigger("undo");
        QVERIFY(e.model.document() == document);
        // Another graph before the first is all there; and back.
        e.model.set_document(document);
        e.model.set_document(bench_graph(12));
        QVERIFY(settle(e));
        check_whole(e);
        QCOMPARE(e.scene.frame_items().size(), std::size_t(1));
        // All deleted while they come: none of them comes any more.
        e.model.set_document(document);
        e.scene.select(e.model.node_ids());
        e.trigger("delete");
        QVERIFY(settle(e));
        QVERIFY(e.scene.items().isEmpty());
        e.trigger("undo");
        QVERIFY(settle(e));
        check_whole(e);
    }

    void small_graphs_are_there_at_once() {
        tests::Editor e;
        e.model.set_document(bench_graph(30));
        QVERIFY(!e.scene.laying_out());
        check_whole(e);
        e.model.remove({"n2"});
        QVERIFY(!e.scene.laying_out());
        check_whole(e);
    }
};

HEDDLE_TEST(responsive, ResponsiveTest)
#include "responsive.moc"
