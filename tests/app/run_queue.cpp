// Runs that wait: their snapshots, their order, and the panel that shows and changes them.
#include <QDockWidget>

#include "app/panels/history_panel.h"
#include "app/panels/queue_panel.h"
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

// A node that keeps the engine busy, and a sum that tells which run went.
struct Queue {
    tests::Editor e;
    QTreeWidget* list = e.window.findChild<QTreeWidget*>("queue_list");
    RunQueue& queue = e.window.queue();
    NodeId counter = e.model.add_node("stub.counter", {}), value = e.model.add_node("stub.constant", {0, 200}), sum = e.model.add_node("stub.add", {300, 200});
    QSignalSpy metrics{&e.window.runs(), &RunController::metric};

    Queue() {
        auto* dock = e.window.findChild<QDockWidget*>("dock_queue");
        dock->raise();
        e.window.resizeDocks({dock}, {300}, Qt::Vertical);      // all rows in sight
        e.model.connect_sockets({value, "out", true}, {sum, "a", false});
        e.model.set_param(counter, "steps", 100000);
        e.model.set_param(value, "value", 50);
        e.trigger("run");
        (void)QTest::qWaitFor([this] { return e.window.runs().status(counter).done > 2; }, 10000);
        metrics.clear();
        e.model.set_param(counter, "steps", 1);
    }
    void add(double number) {
        e.model.set_param(value, "value", number);
        e.trigger("run");
    }
    QStringList changes() const {
        QStringList all;
        for (int row = 0; row < list->topLevelItemCount(); ++row) all << list->topLevelItem(row)->text(2);
        return all;
    }
    QPoint centre(int row) const { return list->visualItemRect(list->topLevelItem(row)).center(); }
    void press(const char* button) const { QTest::mouseClick(e.window.findChild<QToolButton*>(button), Qt::LeftButton); }
    // What the sums of the runs came to, in order.
    std::vector<double> sums() const {
        std::vector<double> all;
        for (const auto& one : metrics) all.push_back(one[2].toDouble() - 10);
        return all;
    }
    void drag(int from, int to) const {
        QWidget* view = list->viewport();
        QTest::mousePress(view, Qt::LeftButton, {}, centre(from));
        const QPointF end = centre(to);
        QMouseEvent move(QEvent::MouseMove, end, view->mapToGlobal(end), Qt::NoButton, Qt::LeftButton, {});
        QApplication::sendEvent(view, &move);
        QTest::mouseRelease(view, Qt::LeftButton, {}, end.toPoint());
    }
};

}  // namespace

class RunQueueTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { qRegisterMetaType<nodes::RunStatus>(); }

    void runs_wait_with_the_document_as_it_was() {
        Queue q;
        q.add(2);
        q.add(5);
        q.e.model.set_param(q.value, "value", 9);      // while they wait
        QCOMPARE(q.list->topLevelItemCount(), 3);
        QCOMPARE(q.queue.waiting(), 2);
        QCOMPARE(q.changes(), (QStringList{"", "constant.value = 2, counter.steps = 1", "constant.value = 5"}));
        QVERIFY2(q.list->topLevelItem(0)->text(3).startsWith("runs, "), qPrintable(q.list->topLevelItem(0)->text(3)));
        QCOMPARE(q.list->topLevelItem(1)->text(3), QStringLiteral("waits"));
        q.press("queue_cancel");                       // nothing selected: the one that goes
        QVERIFY(q.e.wait_for_run());
        QCOMPARE(q.sums(), (std::vector<double>{2, 5}));
        QCOMPARE(q.list->topLevelItemCount(), 0);
        QVERIFY(q.e.window.runs().status(q.sum).stale);      // of 5, the graph says 9
        QVERIFY(!q.e.window.runs().status(q.counter).stale);
    }

    void they_are_moved_cancelled_and_cleared() {
        Queue q;
        for (const int number : {1, 2, 3, 4}) q.add(number);
        const auto order = [&] {
            std::vector<int> numbers;
            for (const QueuedRun& run : q.queue.runs()) numbers.push_back(run.number);
            return numbers;
        };
        QCOMPARE(order(), (std::vector<int>{1, 2, 3, 4, 5}));
        QTest::mouseClick(q.list->viewport(), Qt::LeftButton, {}, q.centre(4));
        q.press("queue_up");
        QCOMPARE(order(), (std::vector<int>{1, 2, 3, 5, 4}));
        q.list->setFocus();
        QTest::keyClick(q.list, Qt::Key_Up, Qt::ControlModifier);
        QCOMPARE(order(), (std::vector<int>{1, 2, 5, 3, 4}));
        for (int i = 0; i < 3; ++i) QTest::keyClick(q.list, Qt::Key_Up, Qt::ControlModifier);
        QCOMPARE(order(), (std::vector<int>{1, 5, 2, 3, 4}));      // not before the one that goes
        q.press("queue_down");
        QCOMPARE(order(), (std::vector<int>{1, 2, 5, 3, 4}));
        q.drag(1, 4);
        QCOMPARE(order(), (std::vector<int>{1, 5, 3, 4, 2}));
        q.drag(0, 3);                                              // the one that goes stays
        q.drag(3, 0);
        QCOMPARE(order(), (std::vector<int>{1, 4, 5, 3, 2}));
        QTest::mouseClick(q.list->viewport(), Qt::LeftButton, {}, q.centre(2));
        QTest::keyClick(q.list, Qt::Key_Delete);
        QCOMPARE(order(), (std::vector<int>{1, 4, 3, 2}));
        QVERIFY(q.e.window.runs().running());
        QTest::keyClick(&q.e.view, Qt::Key_Escape);
        QVERIFY(q.e.wait_for_run());
        QCOMPARE(q.sums(), (std::vector<double>{3, 2, 1}));
    }

    void clearing_leaves_the_one_that_goes() {
        Queue q;
        q.add(1);
        q.add(2);
        QVERIFY(q.e.window.findChild<QAction*>("clear_queue")->isEnabled());
        q.press("queue_clear");
        QCOMPARE(q.queue.waiting(), 0);
        QVERIFY(q.e.window.runs().running());
        QVERIFY(!q.e.window.findChild<QAction*>("clear_queue")->isEnabled());
        q.e.trigger("cancel");
        QVERIFY(q.e.wait_for_run());
        QVERIFY(q.sums().empty());
    }

    void runs_outlive_their_document() {
        Queue q;
        const NodeId ramp = q.e.model.add_node("stub.ramp", {600, 0});
        q.e.model.set_param(ramp, "side", 20);
        q.add(1);
        q.add(2);
        QVERIFY(q.e.window.new_file());
        QVERIFY(q.e.window.runs().running());
        QCOMPARE(q.queue.waiting(), 2);
        QCOMPARE(q.e.model.add_node("stub.ramp", {}), ramp);      // of the same name, and yet another
        q.e.trigger("run");
        QCOMPARE(q.list->topLevelItemCount(), 4);
        q.press("queue_cancel");
        QVERIFY(q.e.wait_for_run());
        QCOMPARE(q.sums(), (std::vector<double>{1, 2}));
        // All of them are in the history; the new graph shows its own.
        auto* history = q.e.window.findChild<HistoryPanel*>("history");
        QCOMPARE(history->count(), 3);
        QCOMPARE(q.e.window.runs().value_summary({ramp, "picture", true}), QStringLiteral("side 40"));
        history->open_graph(1);
        QCOMPARE(q.e.model.param(ramp, "side").toInt(), 20);
        QVERIFY(q.e.model.contains(q.counter));
    }

    void closing_asks_before_it_ends_runs() {
        Queue q;
        q.add(1);
        q.e.answer = QMessageBox::Cancel;
        QVERIFY(!q.e.window.close());
        QCOMPARE(q.e.questions.size(), 1);
        QVERIFY2(q.e.questions[0].contains("Waiting: 1"), qPrintable(q.e.questions[0]));
        QVERIFY(q.e.window.runs().running());
        QCOMPARE(q.queue.waiting(), 1);
        q.e.answer = QMessageBox::Discard;
        QVERIFY(q.e.window.close());
        QVERIFY(q.e.wait_for_run());
        QVERIFY(q.sums().empty());
        QVERIFY(q.e.questions.size() >= 2);
    }

    void the_one_that_goes_is_paused_and_goes_on() {
        Queue q;
        q.add(1);
        q.press("queue_pause");
        QVERIFY(q.e.window.runs().paused());
        QVERIFY(q.list->topLevelItem(0)->text(3).startsWith("paused"));
        QVERIFY(q.e.window.findChild<QAction*>("pause")->isChecked());
        q.press("queue_pause");
        QVERIFY(!q.e.window.runs().paused());
        // How far it is shows as a share of the row.
        QVERIFY(QTest::qWaitFor([&] { return q.list->topLevelItem(0)->data(3, Qt::UserRole + 1).toDouble() > 0; }, 10000));
        q.e.trigger("cancel");
        QVERIFY(q.e.wait_for_run());
        QCOMPARE(q.sums(), (std::vector<double>{1}));
    }

    void a_failure_does_not_hold_the_next() {
        Queue q;
        const NodeId bad = q.e.model.add_node("stub.failing", {300, 0});
        q.e.model.connect_sockets({q.value, "out", true}, {bad, "in", false});
        q.add(1);
        q.e.model.remove({bad});
        q.add(2);
        QVERIFY(q.changes().back().contains("removed: " + qt(bad)));
        q.e.trigger("cancel");
        QVERIFY(q.e.wait_for_run());
        QCOMPARE(q.sums(), (std::vector<double>{1, 2}));
    }

    void the_history_holds_the_graph_that_ran() {
        Queue q;
        const NodeId ramp = q.e.model.add_node("stub.ramp", {600, 0});
        q.e.model.set_param(ramp, "side", 20);
        q.add(1);
        q.e.model.set_param(ramp, "side", 30);
        q.e.trigger("cancel");
        QVERIFY(q.e.wait_for_run());
        auto* history = q.e.window.findChild<HistoryPanel*>("history");
        QCOMPARE(history->count(), 1);
        history->open_graph(0);
        QCOMPARE(q.e.model.param(ramp, "side").toInt(), 20);
        q.e.model.undo_stack().undo();
        QCOMPARE(q.e.model.param(ramp, "side").toInt(), 30);
    }

    void selected_nodes_are_named() {
        Queue q;
        q.e.model.set_param(q.value, "value", 1);
        q.e.scene.select({q.sum});
        q.e.trigger("run_selected");
        QCOMPARE(q.list->topLevelItem(1)->text(1), qt(q.sum));
        QCOMPARE(q.list->topLevelItem(0)->text(1), QStringLiteral("all"));
        q.e.trigger("cancel");
        QVERIFY(q.e.wait_for_run());
        QCOMPARE(q.sums(), (std::vector<double>{1}));
    }
};

HEDDLE_TEST(run_queue, RunQueueTest)
#include "run_queue.moc"
