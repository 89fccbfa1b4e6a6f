// Runs on several devices: branches at once, and the same results, failures and events as from one.
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "gpu/vulkan/device_scope.h"
#include "nodes/core/run_order.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

// No stub needs a device: none is opened.
std::vector<std::shared_ptr<gpu::DeviceSlot>> devices(int count) {
    std::vector<std::shared_ptr<gpu::DeviceSlot>> some;
    for (int i = 0; i < count; ++i) some.push_back(std::make_shared<gpu::DeviceSlot>("none"));
    return some;
}

// Nodes that wait for each other: none goes on before `expected` are inside.
struct MeetingPoint {
    std::mutex mutex;
    std::condition_variable changed;
    int expected = 0, inside = 0;
    std::set<std::thread::id> threads;

    void start(int count) {
        const std::lock_guard lock(mutex);
        expected = count, inside = 0;
        threads.clear();
    }
    bool enter() {
        std::unique_lock lock(mutex);
        ++inside;
        threads.insert(std::this_thread::get_id());
        changed.notify_all();
        return changed.wait_for(lock, std::chrono::seconds(60), [&] { return inside >= expected; });
    }
};
MeetingPoint meeting;

struct Meet final : Node {
    Meet() : Node({.id = "stub.meet", .title = "Meet", .category = "Stub", .help = "Waits for others."}) {}
    In<double> in{this, "in", "A number", {.initial = 0.0}};
    Param<bool> fail{this, "fail", "Fails after that"};
    Out<double> out{this, "out", "The same"};
    void compute(Eval& ev) const override {
        ++computed;
        if (!meeting.enter()) ev.fail(in, "expected others to run at the same time, none came");
        if (ev[fail]) ev.fail(in, "expected nothing, fails");
        ev.set(out, ev[in]);
    }
};

struct Pick final : Node {
    Pick() : Node({.id = "stub.pick", .title = "Pick", .category = "Stub", .help = "Wants its second input."}) {}
    In<double> first{this, "first", "A number", {.initial = 0.0}};
    In<double> second{this, "second", "A number", {.optional = true, .lazy = true}};
    Out<double> out{this, "out", "Their sum"};
    void compute(Eval& ev) const override {
        ++computed;
        ev.set(out, ev[first] + ev[second]);
    }
};

// `width` chains of sums from one constant, which meet in the end; every third step also reads another chain.
Document lattice(int width, int length) {
    Document document = Document().add_node("stub.constant", "c").set_param("c", "value", 3);
    const auto name = [](int chain, int step) { return gpu::format("n{}x{}", chain, step); };
    for (int step = 0; step < length; ++step)
        for (int chain = 0; chain < width; ++chain) {
            document = document.add_node("stub.add", name(chain, step)).connect(step == 0 ? Endpoint{"c", "out"} : Endpoint{name(chain, step - 1), "sum"}, {name(chain, step), "a"});
            if (step > 0 && step % 3 == 0) document = document.connect({name((chain + 1) % width, step - 1), "sum"}, {name(chain, step), "b"});
        }
    return document;
}

std::map<std::string, double> numbers(const Recorder& seen) {
    std::map<std::string, double> found;
    for (const auto& made : seen.all<event::Produced>())
        if (const double* value = made.value.get<double>()) found[made.node + "." + made.socket] = *value;
    return found;
}

Document two_branches() {
    return Document()
        .add_node("stub.constant", "one")
        .add_node("stub.meet", "left")
        .connect({"one", "out"}, {"left", "in"})
        .add_node("stub.meet", "right")
        .add_node("stub.add", "after")
        .connect({"left", "out"}, {"after", "a"})
        .connect({"right", "out"}, {"after", "b"});
}

}  // namespace

class BranchesTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        register_stub_nodes();
        add_node_type(std::make_unique<Meet>());
        add_node_type(std::make_unique<Pick>());
    }

    void branches_run_at_once() {
        meeting.start(2);
        Recorder seen;
        const RunResult result = run(two_branches(), {.on_event = seen.sink(), .devices = devices(2)});
        QCOMPARE(result.status, RunStatus::Done);
        QCOMPARE(meeting.threads.size(), std::size_t(2));
        QCOMPARE(seen.number("after", "sum"), 1.0);
        std::set<int> used;
        for (const auto& start : seen.all<event::NodeStart>()) used.insert(start.device);
        QCOMPARE(used, (std::set{0, 1}));
    }

    void results_are_those_of_one_device() {
        const Document document = lattice(5, 12);
        Recorder one, three;
        const RunResult alone = run(document, {.on_event = one.sink()});
        for (int i = 0; i < 20; ++i) {
            three.events.clear();
            ResultCache cache;
            const RunResult result = run(document, {.cache = &cache, .on_event = three.sink(), .devices = devices(3)});
            QCOMPARE(result.status, RunStatus::Done);
            QCOMPARE(result.computed, alone.computed);
            QVERIFY(numbers(one) == numbers(three));
            QCOMPARE(result.metrics.size(), alone.metrics.size());
            for (std::size_t m = 0; m < result.metrics.size(); ++m) QCOMPARE(result.metrics[m].node, alone.metrics[m].node);
            const RunResult again = run(document, {.cache = &cache, .devices = devices(2)});
            QCOMPARE(again.computed, 0);
            QCOMPARE(again.cached, 5);
        }
    }

    void an_error_leaves_the_other_branch_alone() {
        const Document document = two_branches()
                                      .set_param("left", "fail", true)
                                      .add_node("stub.add", "aside")
                                      .connect({"right", "out"}, {"aside", "a"});
        meeting.start(2);
        Recorder seen;
        const RunResult result = run(document, {.on_event = seen.sink(), .devices = devices(2)});
        QCOMPARE(result.status, RunStatus::Partial);      // "aside" is done, "after" is not
        QCOMPARE(result.failures.size(), std::size_t(1));
        QCOMPARE(result.failures[0].node, std::string("left"));
        QCOMPARE(seen.number("aside", "sum"), 10.0);
        for (const auto& start : seen.all<event::NodeStart>()) QVERIFY(start.node != "after");
        std::map<std::string, NodeState> last;
        for (const auto& state : seen.all<event::State>()) last[state.node] = state.state;
        QCOMPARE(last["left"], NodeState::Failed);
        QCOMPARE(last["after"], NodeState::Idle);
        QCOMPARE(last["aside"], NodeState::Done);
    }

    void a_cancel_ends_all_branches() {
        const Document document = Document()
                                      .add_node("stub.counter", "left")
                                      .set_param("left", "steps", 1000000)
                                      .add_node("stub.counter", "right")
                                      .set_param("right", "steps", 1000000)
                                      .add_node("stub.add", "after")
                                      .connect({"left", "out"}, {"after", "a"})
                                      .connect({"right", "out"}, {"after", "b"});
        RunOptions options{.devices = devices(2)};
        std::set<std::string> moving;
        int at_cancel = -1;
        counted = 0;
        options.on_event = [&](const Event& event) {
            const auto* progress = std::get_if<event::Progress>(&event);
            if (!progress) return;
            moving.insert(progress->node);
            if (moving.size() < 2 || at_cancel >= 0) return;
            at_cancel = counted;
            options.cancel.cancel();
        };
        const RunResult result = run(document, options);
        QCOMPARE(result.status, RunStatus::Cancelled);
        QVERIFY(result.failures.empty());
        QVERIFY2(counted - at_cancel <= 2, qPrintable(QString::number(counted - at_cancel)));      // a step of each at most
    }

    void a_pause_is_told_once() {
        const Document document = Document().add_node("stub.counter", "left").set_param("left", "steps", 400).add_node("stub.counter", "right").set_param("right", "steps", 400);
        RunOptions options{.devices = devices(2)};
        std::vector<bool> told;
        std::thread other;
        options.on_event = [&](const Event& event) {
            if (const auto* paused = std::get_if<event::Paused>(&event)) told.push_back(paused->paused);
            if (!std::holds_alternative<event::Progress>(event) || other.joinable()) return;
            options.pause.pause();
            other = std::thread([&] {
                std::this_thread::sleep_for(std::chrono::milliseconds(30));
                options.pause.resume();
            });
        };
        const RunResult result = run(document, options);
        if (other.joinable()) other.join();
        QCOMPARE(result.status, RunStatus::Done);
        // Each held at least once or not at all: what is told alternates, and ends with going on.
        for (std::size_t i = 0; i < told.size(); ++i) QCOMPARE(bool(told[i]), i % 2 == 0);
        QVERIFY(told.size() % 2 == 0 && !told.empty());
    }

    void a_lazy_source_of_two_branches_runs_once() {
        const Document document = Document()
                                      .add_node("stub.meet", "source")
                                      .add_node("stub.pick", "left")
                                      .connect({"source", "out"}, {"left", "second"})
                                      .add_node("stub.pick", "right")
                                      .connect({"source", "out"}, {"right", "second"});
        for (int i = 0; i < 50; ++i) {
            meeting.start(1);
            computed = 0;
            QCOMPARE(run(document, {.devices = devices(3)}).status, RunStatus::Done);
            QCOMPARE(computed.load(), 3);
        }
    }

    void loops_are_a_step_each() {
        Document document = Document().add_node("stub.constant", "start");
        for (const std::string side : {"l", "r"})
            document = document.add_node("loop.begin", side + "begin")
                           .set_param(side + "begin", "count", 7)
                           .add_node("stub.add", side + "sum")
                           .add_node("loop.end", side + "end")
                           .connect({"start", "out"}, {side + "begin", "a"})
                           .connect({side + "begin", "a"}, {side + "sum", "a"})
                           .connect({side + "begin", "index"}, {side + "sum", "b"})
                           .connect({side + "begin", "loop"}, {side + "end", "loop"})
                           .connect({side + "sum", "sum"}, {side + "end", "a"});
        document = document.add_node("stub.add", "after").connect({"lend", "a"}, {"after", "a"}).connect({"rend", "a"}, {"after", "b"});
        for (int i = 0; i < 20; ++i) {
            Recorder seen;
            QCOMPARE(run(document, {.on_event = seen.sink(), .devices = devices(2)}).status, RunStatus::Done);
            QCOMPARE(seen.number("after", "sum"), 2 * (1.0 + 7 * 6 / 2));
        }
    }

    // A worker goes on with what lies on its device.
    void a_chain_stays_with_its_worker() {
        const Document document = lattice(2, 3);
        RunPlan plan = make_plan(document, {"n0x2", "n1x2"}, {}, nullptr);
        const auto id = [&](std::size_t step) { return plan[step].record->id; };
        RunOrder order(plan);
        const auto first = order.take(0);
        QCOMPARE(id(*first), std::string("c"));
        QVERIFY(!order.take(1));      // all waits for it
        order.over(*first, 0);
        const auto a = order.take(0), b = order.take(1);
        order.over(*b, 1);
        order.over(*a, 0);
        const auto after_b = order.take(1), after_a = order.take(0);
        QCOMPARE(id(*after_a).substr(0, 2), id(*a).substr(0, 2));
        QCOMPARE(id(*after_b).substr(0, 2), id(*b).substr(0, 2));
        order.over(*after_a, 0);
        order.over(*after_b, 1);
        QVERIFY(order.take(0) && order.take(1) && order.all_taken() && !order.take(0));
    }
};

}  // namespace tests

HEDDLE_TEST(branches, tests::BranchesTest)
#include "branches.moc"
