// Files that a run leaves behind are waited for by the next one, and their failures told once.
#include "gpu/io/pending_writes.h"

#include <atomic>

#include "nodes/core/runner.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

std::shared_future<void> failing_write() {
    return std::async(std::launch::deferred, [] { throw gpu::Error(gpu::ErrorCode::Io, "save file state: no room"); }).share();
}

}  // namespace

class PendingWritesTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }
    void cleanup() { gpu::failed_writes(); }

    void a_run_begins_when_the_file_is_there() {
        std::promise<void> write;
        gpu::leave_write("state", write.get_future().share());
        QCOMPARE(gpu::pending_writes(), std::vector<std::string>{"state"});
        std::atomic<bool> written = false, early = false;
        RunOptions options;
        options.on_event = [&](const Event& event) {
            if (std::holds_alternative<event::Plan>(event)) early = !written;
        };
        auto result = std::async(std::launch::async, [&] { return run(Document().add_node("stub.constant", "one"), options).status; });
        QCOMPARE(result.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
        written = true;
        write.set_value();
        QCOMPARE(result.get(), RunStatus::Done);
        QVERIFY(!early);
        QVERIFY(gpu::pending_writes().empty());
        QVERIFY(gpu::failed_writes().empty());
    }

    void a_failure_is_told_once() {
        std::promise<void> good;
        good.set_value();
        gpu::leave_write("a", good.get_future().share());
        gpu::leave_write("b", failing_write());
        gpu::wait_for_writes();
        const std::vector<gpu::FailedWrite> failed = gpu::failed_writes();
        QCOMPARE(failed.size(), std::size_t(1));
        QCOMPARE(failed[0].path, std::string("b"));
        QCOMPARE(failed[0].message, std::string("save file state: no room"));
        QCOMPARE(failed[0].code, gpu::ErrorCode::Io);
        QVERIFY(gpu::failed_writes().empty());
    }

    // What the editor's engine does: the failure comes when the run has ended.
    void a_runner_tells_it_after_the_end() {
        std::mutex mutex;
        std::vector<std::string> told;
        const auto add = [&](std::string what) {
            const std::lock_guard lock(mutex);
            told.push_back(std::move(what));
        };
        {
            Runner runner(
                [&](int, const Event& event) {
                    if (const auto* failure = std::get_if<event::Failure>(&event)) add(failure->failure.message);
                },
                [&](int, const RunResult&) { add("end"); });
            gpu::leave_write("state", failing_write());
            runner.start(Document().add_node("stub.constant", "one"));
            runner.wait();
        }
        QCOMPARE(told, (std::vector<std::string>{"end", "save file state: no room"}));
    }
};

}  // namespace tests

using tests::PendingWritesTest;
HEDDLE_TEST(pending_writes, PendingWritesTest)
#include "pending_writes.moc"
