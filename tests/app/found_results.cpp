// Results of earlier sessions: pictures that come from the disk without a run, and those that only somebody who looks needs.
#include <thread>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/disk_cache.h"
#include "nodes/types/image.h"
#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

std::atomic<int> made = 0;

// A picture that takes as long to make as it is worth keeping; or a moment, so that no file is worth its while.
struct Slow final : nodes::Node {
    Slow() : Node({.id = "stub.slow_picture", .title = "Slow", .category = "Stub", .help = "Takes its time over a picture."}) {}
    nodes::In<nodes::Image> image{this, "image", "What it copies", {.optional = true}};
    nodes::Param<int> ms{this, "ms", "How long it takes", {.initial = 20, .min = 0, .max = 1000}};
    nodes::Param<double> gray{this, "gray", "Without a picture to copy", {.initial = 0.5, .min = 0, .max = 1}};
    nodes::Out<nodes::Image> picture{this, "picture", "The picture"};
    void compute(nodes::Eval& ev) const override {
        ++made;
        std::this_thread::sleep_for(std::chrono::milliseconds(ev[ms]));      // the cost of the work, not a wait for anything
        nodes::Image result = ev.has(image) ? ev[image] : nodes::make_image(gpu::full({1, 3, 24, 48}, ev[gray]));
        gpu::evaluate({result.tensor});
        ev.set(picture, result);
    }
};

// A window as a program that has just started: nothing in memory, the same folder of results. photo -> crop -> last, and `last` is what a run asks for.
struct Session {
    tests::Editor e;
    NodeId photo, crop, last;
    ViewerPanel& viewer = e.window.viewer();

    Session(const QTemporaryDir& folder, int photo_ms) {
        static const bool once = [] {
            nodes::add_node_type(std::make_unique<Slow>());
            return true;
        }();
        (void)once;
        e.window.runs().keep_results(std::make_shared<nodes::DiskCache>(nodes::DiskCache::Place{.folder = folder.filePath("results").toStdString(), .stamp = "a"}));
        photo = e.model.add_node("stub.slow_picture", {0, 0});
        crop = e.model.add_node("image.crop", {300, 0});
        last = e.model.add_node("stub.slow_picture", {600, 0});
        e.model.set_param(photo, "ms", photo_ms);
        e.model.set_params(crop, {{"width", 20}, {"height", 10}});
        e.model.connect_sockets({photo, "picture", true}, {crop, "image", false});
        e.model.connect_sockets({crop, "image", true}, {last, "image", false});
    }
    bool run() {
        e.trigger("run");
        return e.wait_for_run();
    }
    bool shows(QSize size) {
        return QTest::qWaitFor([&] { return !viewer.busy() && viewer.picture()->picture().size() == size; }, 10000);
    }
    nodes::NodeState state(const NodeId& id) { return e.window.runs().status(id).state; }
};

// What a program that has ended left in the folder.
bool leave_results(const QTemporaryDir& folder, int photo_ms) { return Session(folder, photo_ms).run(); }

}  // namespace

class FoundResultsTest : public QObject {
    Q_OBJECT

private slots:
    void the_picture_under_a_tool_comes_from_the_disk_after_a_run() {
        const QTemporaryDir folder;
        QVERIFY(leave_results(folder, 20));
        Session again(folder, 20);
        made = 0;
        QVERIFY(again.run());
        QCOMPARE(made.load(), 0);
        QCOMPARE(again.state(again.last), nodes::NodeState::Cached);
        QCOMPARE(again.state(again.photo), nodes::NodeState::Idle);      // nobody needed it
        again.e.scene.select({again.crop});
        QVERIFY(again.shows({48, 24}));
        QVERIFY(again.viewer.picture()->tool());
        QCOMPARE(made.load(), 0);
    }

    void also_without_any_run() {
        const QTemporaryDir folder;
        QVERIFY(leave_results(folder, 20));
        Session opened(folder, 20);
        made = 0;
        opened.e.scene.select({opened.crop});
        QVERIFY(opened.shows({48, 24}));
        QVERIFY(opened.viewer.picture()->tool());
        opened.e.scene.select({opened.last});      // a plain picture
        QVERIFY(opened.shows({20, 10}));
        QCOMPARE(made.load(), 0);
    }

    // What was made too quickly to be kept is made again by a run, where a tool waits for it.
    void a_run_makes_the_picture_under_a_tool() {
        const QTemporaryDir folder;
        QVERIFY(leave_results(folder, 0));
        Session again(folder, 0);
        again.e.scene.select({again.crop});
        made = 0;
        QVERIFY(again.run());
        QVERIFY(again.shows({48, 24}));
        QVERIFY(again.viewer.picture()->tool());
        QCOMPARE(made.load(), 1);
        QCOMPARE(again.state(again.last), nodes::NodeState::Cached);
    }

    // An edit that is taken back: the run finds the last result in memory, and so does the tool.
    void the_picture_is_that_of_the_last_run() {
        const QTemporaryDir folder;
        Session s(folder, 0);
        s.e.scene.select({s.photo});
        const auto gray = [&](int wanted) {
            return QTest::qWaitFor([&] { return !s.viewer.busy() && !s.viewer.picture()->picture().isNull() && std::abs(s.viewer.picture()->picture().pixelColor(0, 0).red() - wanted) <= 1; }, 10000);
        };
        QVERIFY(s.run() && gray(128));
        s.e.model.set_param(s.photo, "gray", 1);
        QVERIFY(s.run() && gray(255));
        s.e.trigger("undo");
        made = 0;
        QVERIFY(s.run());
        QCOMPARE(made.load(), 0);
        QVERIFY(gray(128));
    }
};

HEDDLE_TEST(found_results, FoundResultsTest)
#include "found_results.moc"
