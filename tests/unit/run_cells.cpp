// Cells of a sweep over several devices: at once, told in their order, and what they share is computed once. No device is opened: the nodes compute nothing.
#include "app/cli/run_cells.h"

#include <condition_variable>

#include "gpu/vulkan/device_scope.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

std::mutex mutex;
std::condition_variable changed;
std::vector<int> passed;        // ranks, in the order of time

// Rank 0 passes when rank 1 has; rank 3 never does.
struct Gate final : Node {
    Gate() : Node({.id = "stub.gate", .title = "Gate", .category = "Stub", .help = "Waits for another one."}) {}
    In<double> in{this, "in", "A number"};
    Param<int> rank{this, "rank", "Who it is", {.initial = 0, .min = 0, .max = 100}};
    Out<double> out{this, "out", "in + rank"};
    void compute(Eval& ev) const override {
        std::unique_lock lock(mutex);
        const auto first = [] { return std::ranges::count(passed, 1) == 1; };
        if (ev[rank] == 0 && !changed.wait_for(lock, std::chrono::seconds(20), first)) ev.fail(in, "expected the second cell beside this one, none came");
        if (ev[rank] == 3) ev.fail(in, "expected another rank");
        passed.push_back(ev[rank]);
        changed.notify_all();
        ev.report("sum", ev[in] + ev[rank]);
        ev.set(out, ev[in] + ev[rank]);
    }
};

std::vector<app::Cell> cells(std::vector<int> ranks) {
    passed.clear();
    counted = 0;
    const Document document = Document()
                                  .add_node("stub.counter", "shared")
                                  .set_param("shared", "steps", 30)
                                  .add_node("stub.gate", "gate")
                                  .connect({"shared", "out"}, {"gate", "in"});
    std::vector<app::Cell> made;
    for (const int rank : ranks) made.push_back({.document = document.set_param("gate", "rank", rank)});
    return made;
}

std::vector<std::shared_ptr<gpu::DeviceSlot>> two_devices() { return {nullptr, std::make_shared<gpu::DeviceSlot>("0")}; }

}  // namespace

class RunCellsTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        register_stub_nodes();
        add_node_type(std::make_unique<Gate>());
    }

    void cells_run_beside_one_another_and_are_told_in_order() {
        std::vector<app::Cell> made = cells({0, 1, 2, 3, 4, 5});
        ResultCache cache;
        RunOptions options{.targets = {"gate"}, .cache = &cache, .devices = two_devices()};
        std::vector<std::size_t> told;
        QVERIFY(app::run_cells(made, options, [&](std::size_t cell) { told.push_back(cell); }));
        QCOMPARE(told, (std::vector<std::size_t>{0, 1, 2, 3, 4, 5}));
        QVERIFY(std::ranges::find(passed, 1) < std::ranges::find(passed, 0));
        QCOMPARE(counted.load(), 30);      // by one of the two that began together
        for (std::size_t i = 0; i < made.size(); ++i) {
            QCOMPARE(made[i].result.exit_code(), i == 3 ? 3 : 0);
            if (i != 3) QCOMPARE(made[i].result.metrics.at(0).value, 30.0 + static_cast<double>(i));
        }
        QCOMPARE(app::exit_code_of(made), 10);
    }

    void the_same_without_several_devices() {
        std::vector<app::Cell> made = cells({1, 0, 2});
        ResultCache cache;
        std::vector<std::size_t> told;
        QVERIFY(app::run_cells(made, {.targets = {"gate"}, .cache = &cache}, [&](std::size_t cell) { told.push_back(cell); }));
        QCOMPARE(told, (std::vector<std::size_t>{0, 1, 2}));
        QCOMPARE(counted.load(), 30);
    }

    // Both cells hang on the first one's count; a cancel ends the one that counts and the one that waits for it.
    void a_cancel_ends_all() {
        std::vector<app::Cell> made = cells({1, 2, 4});
        for (app::Cell& cell : made) cell.document = cell.document.set_param("shared", "steps", 1000000);
        ResultCache cache;
        const gpu::CancelToken token;
        std::atomic<bool> cancelled = false;
        RunOptions options{.targets = {"gate"}, .cache = &cache, .cancel = token, .devices = two_devices()};
        options.on_event = [&](const Event& event) {
            if (const auto* progress = std::get_if<event::Progress>(&event); progress && progress->done > 0) token.cancel(), cancelled = true;
        };
        QVERIFY(!app::run_cells(made, options, [](std::size_t) { QFAIL("a cancelled cell was told"); }));
        QVERIFY(cancelled);
        QCOMPARE(made[0].result.status, RunStatus::Cancelled);
        QVERIFY(passed.empty());
    }
};

}  // namespace tests

using tests::RunCellsTest;
HEDDLE_TEST(run_cells, RunCellsTest)
#include "run_cells.moc"
