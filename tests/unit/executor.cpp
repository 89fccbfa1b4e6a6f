#include "nodes/core/executor.h"

#include "gpu/base/switches.h"
#include "nodes/core/runner.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

// two -> sum.a, three -> sum.b, sum -> total.a, five -> total.b
Document sums() {
    return Document()
        .add_node("stub.constant", "two")
        .set_param("two", "value", 2)
        .add_node("stub.constant", "three")
        .set_param("three", "value", 3)
        .add_node("stub.constant", "five")
        .set_param("five", "value", 5)
        .add_node("stub.add", "sum")
        .connect({"two", "out"}, {"sum", "a"})
        .connect({"three", "out"}, {"sum", "b"})
        .add_node("stub.add", "total")
        .connect({"sum", "sum"}, {"total", "a"})
        .connect({"five", "out"}, {"total", "b"});
}

Document failing(const char* way) {
    return Document()
        .add_node("stub.constant", "one")
        .add_node("stub.failing", "bad")
        .connect({"one", "out"}, {"bad", "in"})
        .set_param("bad", "way", way);
}

}  // namespace

class ExecutorTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void computes_what_the_target_needs() {
        Recorder seen;
        RunResult result = run(sums(), {.on_event = seen.sink()});
        QCOMPARE(result.status, RunStatus::Done);
        QCOMPARE(seen.number("total", "sum"), 10.0);
        QCOMPARE(result.computed, 5);
        result = run(sums(), {.targets = {"sum"}});
        QCOMPARE(result.computed, 3);
        QCOMPARE(result.exit_code(), 0);
    }

    void initial_value_of_an_unlinked_input() {
        Recorder seen;
        const Document document = Document()
                                      .add_node("stub.constant", "one")
                                      .add_node("stub.add", "sum")
                                      .connect({"one", "out"}, {"sum", "a"});
        run(document, {.on_event = seen.sink()});
        QCOMPARE(seen.number("sum", "sum"), 11.0);
    }

    void second_run_computes_nothing() {
        ResultCache cache;
        run(sums(), {.cache = &cache});
        computed = 0;
        Recorder seen;
        const RunResult result = run(sums(), {.cache = &cache, .on_event = seen.sink()});
        QCOMPARE(computed.load(), 0);
        QCOMPARE(result.status, RunStatus::Done);
        QCOMPARE(result.cached, 1);  // the target; nobody asks for the rest
        QCOMPARE(seen.number("total", "sum"), 10.0);
        QCOMPARE(result.metrics.size(), 1u);  // a hit tells the metrics again
        QCOMPARE(result.metrics[0].value, 10.0);
    }

    void a_change_computes_only_what_follows() {
        ResultCache cache;
        run(sums(), {.cache = &cache});
        computed = 0;
        const RunResult result = run(sums().set_param("five", "value", 6), {.cache = &cache});
        QCOMPARE(computed.load(), 2);  // five and total; sum comes from the cache
        QCOMPARE(result.cached, 1);
        computed = 0;
        run(sums().set_param("five", "value", 5.0), {.cache = &cache});
        QCOMPARE(computed.load(), 0);  // 5 and 5.0 are one value
        run(sums().rename("sum", "other").move("two", {3, 4}), {.cache = &cache});
        QCOMPARE(computed.load(), 0);  // names and places are no content
    }

    void explicit_initial_value_has_the_same_key() {
        ResultCache cache;
        const Document document = Document().add_node("stub.constant", "one");
        run(document, {.cache = &cache});
        computed = 0;
        run(document.set_param("one", "value", 1), {.cache = &cache});
        QCOMPARE(computed.load(), 0);
    }

    void small_cache_still_gives_right_results() {
        ResultCache cache(1);  // nothing fits
        Recorder seen;
        QCOMPARE(run(sums(), {.cache = &cache, .on_event = seen.sink()}).status, RunStatus::Done);
        QCOMPARE(seen.number("total", "sum"), 10.0);
        QCOMPARE(cache.stats().entries, 0u);
    }

    void the_least_recently_used_leaves_first() {
        NodeResult result;
        result.outputs.push_back(Value::of<double>(1));
        ResultCache cache(result.bytes() * 2);
        const auto key = [](int i) { return gpu::Hasher().add(i).finish(); };
        cache.store(key(1), result);
        cache.store(key(2), result);
        QVERIFY(cache.find(key(1)));
        cache.store(key(3), result);
        QVERIFY(cache.contains(key(1)) && !cache.contains(key(2)) && cache.contains(key(3)));
        QCOMPARE(cache.stats().bytes, result.bytes() * 2);
        QCOMPARE(cache.stats().evicted, 1u);
    }

    void failure_names_node_and_socket() {
        Recorder seen;
        const RunResult result = run(failing("socket"), {.on_event = seen.sink()});
        QCOMPARE(result.status, RunStatus::Failed);
        QCOMPARE(result.failures.size(), 1u);
        QCOMPARE(result.failures[0].text(), std::string("bad.in: expected less than 0, got 1"));
        QCOMPARE(result.failures[0].code, gpu::ErrorCode::InvalidGraph);
        QCOMPARE(seen.all<event::Failure>().size(), 1u);
        QCOMPARE(seen.all<event::End>().size(), 1u);
        QCOMPARE(seen.all<event::State>().back().state, NodeState::Failed);
    }

    void every_throw_ends_at_the_boundary_data() {
        QTest::addColumn<QString>("way");
        QTest::addColumn<int>("code");
        QTest::newRow("error") << "error" << 9;
        QTest::newRow("standard") << "standard" << 1;
        QTest::newRow("memory") << "memory" << 6;
        QTest::newRow("output not set") << "nothing" << 1;
    }
    void every_throw_ends_at_the_boundary() {
        QFETCH(QString, way);
        QFETCH(int, code);
        const RunResult result = run(failing(way.toUtf8().constData()));
        QCOMPARE(result.status, RunStatus::Failed);
        QCOMPARE(result.failures[0].node, std::string("bad"));
        QCOMPARE(result.exit_code(), code);
    }

    void other_targets_go_on_after_a_failure() {
        const Document document = failing("error")
                                      .add_node("stub.add", "after")
                                      .connect({"bad", "out"}, {"after", "a"})
                                      .add_node("stub.add", "aside")
                                      .connect({"one", "out"}, {"aside", "a"});
        const RunResult result = run(document);  // targets: after, aside
        QCOMPARE(result.status, RunStatus::Partial);
        QCOMPARE(result.exit_code(), 10);
        QCOMPARE(result.failures.size(), 1u);
    }

    void invalid_document_runs_nothing() {
        computed = 0;
        const RunResult result = run(sums().set_param("two", "value", 1000));
        QCOMPARE(result.status, RunStatus::Invalid);
        QCOMPARE(result.exit_code(), 3);
        QCOMPARE(result.failures[0].text(), std::string("two.value: expected a number, -100 to 100, got 1000"));
        QCOMPARE(computed.load(), 0);
        QCOMPARE(run(Document()).status, RunStatus::Invalid);
        QCOMPARE(run(sums(), {.targets = {"totl"}}).failures[0].message,
                 std::string("expected a node of the document as target, got 'totl'; did you mean 'total'?"));
    }

    void damage_elsewhere_stops_a_run_without_targets_only() {
        const Document document = sums()
                                      .add_node("nobody.knows", "lost")
                                      .add_node("stub.measure", "measure")
                                      .connect({"five", "out"}, {"measure", "in"});
        QCOMPARE(run(document).status, RunStatus::Invalid);
        QCOMPARE(run(document, {.targets = {"total"}}).status, RunStatus::Done);
        // A half-built node that no target needs only warns.
        const Document half = sums()
                                  .add_node("stub.measure", "measure")
                                  .connect({"five", "out"}, {"measure", "in"})
                                  .add_node("stub.add", "half");
        QCOMPARE(run(half).status, RunStatus::Done);
    }

    void converts_where_the_type_says_so() {
        Recorder seen;
        const Document document = Document()
                                      .add_node("stub.constant", "one")
                                      .add_node("stub.measure", "measure")
                                      .connect({"one", "out"}, {"measure", "in"});
        ResultCache cache;
        run(document, {.cache = &cache, .on_event = seen.sink()});
        QCOMPARE(seen.number("measure", "out"), 1.0);
        Recorder again;
        run(document, {.cache = &cache, .on_event = again.sink()});
        QCOMPARE(again.all<event::Warning>().size(), 1u);
        QCOMPARE(again.all<event::Warning>()[0].message, std::string("no note"));
    }

    void cancel_stops_within_100_ms() {
        const Document slow = Document()
                                  .add_node("stub.counter", "slow")
                                  .set_param("slow", "steps", 100000)
                                  .add_node("stub.add", "sum")
                                  .connect({"slow", "out"}, {"sum", "a"});
        RunOptions options;
        std::chrono::steady_clock::time_point asked;
        std::thread canceller([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(150));
            asked = std::chrono::steady_clock::now();
            options.cancel.cancel();
        });
        Recorder seen;
        options.on_event = seen.sink();
        const RunResult result = run(slow, options);
        const auto stopped = std::chrono::steady_clock::now();
        canceller.join();
        QCOMPARE(result.status, RunStatus::Cancelled);
        QCOMPARE(result.exit_code(), 130);
        QVERIFY(result.failures.empty());
        QVERIFY2(stopped - asked < std::chrono::milliseconds(100), "took too long to stop");
        QCOMPARE(seen.all<event::State>().back().state, NodeState::Idle);
        const std::size_t progress = seen.all<event::Progress>().size();
        QVERIFY2(progress >= 1 && progress <= 5, "progress comes at most every 50 ms");
    }

    void a_paused_run_computes_nothing_and_goes_on() {
        const Document document = Document().add_node("stub.counter", "slow").set_param("slow", "steps", 300).add_node("stub.add", "sum").connect({"slow", "out"}, {"sum", "a"});
        Recorder seen;
        RunOptions options;
        std::vector<std::size_t> pauses;      // events seen when one began
        std::vector<int> steps;               // and counted, at both ends
        std::thread other;
        counted = 0;
        options.on_event = [&](const Event& event) {
            seen.events.push_back(event);
            if (std::holds_alternative<event::Progress>(event) && pauses.empty()) options.pause.pause();      // inside of a node
            if (const auto* end = std::get_if<event::NodeEnd>(&event); end && end->node == "slow") options.pause.pause();      // between two
            const auto* held = std::get_if<event::Paused>(&event);
            if (!held) return;
            steps.push_back(counted + computed);
            pauses.push_back(seen.events.size());
            if (other.joinable()) other.join();
            if (held->paused) other = std::thread([&] { options.pause.resume(); });
        };
        const RunResult result = run(document, options);
        if (other.joinable()) other.join();
        QCOMPARE(result.status, RunStatus::Done);
        QCOMPARE(seen.number("sum", "sum"), 310.0);      // as without
        QCOMPARE(counted.load(), 300);
        QCOMPARE(pauses.size(), 4u);
        for (std::size_t i = 0; i < 4; i += 2) {
            QCOMPARE(pauses[i] + 1, pauses[i + 1]);      // nothing was told in between
            QCOMPARE(steps[i], steps[i + 1]);            // and nothing done
        }
        QVERIFY(steps[0] < steps[2]);
    }

    void a_paused_run_can_be_cancelled() {
        RunOptions options;
        counted = 0;
        int at_pause = -1;
        options.on_event = [&](const Event& event) {
            if (std::holds_alternative<event::Progress>(event)) options.pause.pause();
            if (const auto* held = std::get_if<event::Paused>(&event); held && held->paused) {
                at_pause = counted;
                options.cancel.cancel();
            }
        };
        QCOMPARE(run(Document().add_node("stub.counter", "slow").set_param("slow", "steps", 100000), options).status, RunStatus::Cancelled);
        QCOMPARE(counted.load(), at_pause);
    }

    void the_runner_pauses_and_resumes() {
        std::mutex mutex;
        std::condition_variable changed;
        int progress = 0, paused = 0;
        RunStatus status = RunStatus::Failed;
        Runner runner(
            [&](int, const Event& event) {
                const std::lock_guard lock(mutex);
                progress += std::holds_alternative<event::Progress>(event);
                if (const auto* held = std::get_if<event::Paused>(&event)) paused += held->paused ? 1 : 10;
                changed.notify_all();
            },
            [&](int, const RunResult& result) { status = result.status; });
        const auto until = [&](auto condition) {
            std::unique_lock lock(mutex);
            return changed.wait_for(lock, std::chrono::seconds(20), condition);
        };
        runner.start(Document().add_node("stub.counter", "slow").set_param("slow", "steps", 500));
        QVERIFY(until([&] { return progress > 0; }));
        runner.pause();
        QVERIFY(until([&] { return paused == 1; }));
        QVERIFY(runner.busy());
        runner.resume();
        runner.wait();
        QCOMPARE(paused, 11);
        QCOMPARE(status, RunStatus::Done);
    }

    void a_cancelled_run_keeps_what_was_done() {
        ResultCache cache;
        RunOptions options{.cache = &cache};
        const Document document = Document()
                                      .add_node("stub.constant", "one")
                                      .add_node("stub.counter", "slow")
                                      .connect({"one", "out"}, {"slow", "start"})
                                      .set_param("slow", "steps", 100000);
        options.on_event = [&](const Event& event) {
            if (std::holds_alternative<event::Progress>(event)) options.cancel.cancel();
        };
        QCOMPARE(run(document, options).status, RunStatus::Cancelled);
        QCOMPARE(cache.stats().entries, 1u);
    }

    void the_runtime_polls_the_scope_of_the_thread() {
        gpu::check_cancelled();
        gpu::CancelToken token;
        {
            const gpu::CancelScope scope(token);
            gpu::check_cancelled();
            token.cancel();
            QVERIFY_EXCEPTION_THROWN(gpu::check_cancelled(), gpu::Cancelled);
        }
        gpu::check_cancelled();
    }

    void writes_are_reported_and_never_cached() {
        QTemporaryDir folder;
        ResultCache cache;
        const Document document = Document()
                                      .add_node("stub.constant", "one")
                                      .add_node("stub.write", "save")
                                      .connect({"one", "out"}, {"save", "in"})
                                      .set_param("save", "file", "one.txt");
        const RunOptions options{.cache = &cache, .output_folder = folder.path().toStdString()};
        run(document, options);
        computed = 0;
        const RunResult result = run(document, options);
        QCOMPARE(computed.load(), 1);  // the write; the constant comes from the cache
        QCOMPARE(result.outputs.size(), 1u);
        QCOMPARE(result.outputs[0].path, folder.filePath("one.txt").toStdString());
        QCOMPARE(result.outputs[0].bytes, 1u);
        QCOMPARE(result.outputs[0].sha256,
                 std::string("6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"));
    }

    void input_files_enter_the_key_by_content() {
        QTemporaryDir folder;
        const auto write = [&](const char* text) {
            QFile file(folder.filePath("in.txt"));
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(text);
        };
        const Document document = Document()
                                      .add_node("stub.read", "read")
                                      .set_param("read", "file", "in.txt")
                                      .with_path(folder.filePath("graph.heddle").toStdString());
        ResultCache cache;
        const RunResult missing = run(document, {.cache = &cache});
        QCOMPARE(missing.exit_code(), 4);
        QCOMPARE(missing.failures[0].socket, std::string("file"));
        write("one");
        QCOMPARE(run(document, {.cache = &cache}).computed, 1);
        QCOMPARE(run(document, {.cache = &cache}).computed, 0);
        write("two");  // same size, perhaps the same second
        QCOMPARE(run(document, {.cache = &cache}).computed, 1);
    }

    void files_outside_the_allowed_folders_are_refused() {
        QTemporaryDir allowed, secret;
        QFile file(secret.filePath("in.txt"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("x");
        file.close();
        QVERIFY(QFile::link(secret.path(), allowed.filePath("link")));
        RunOptions options{.allowed = {allowed.path().toStdString() + "/"}};
        const auto reading = [](const QString& path) {
            return Document().add_node("stub.read", "read").set_param("read", "file", path);
        };
        QCOMPARE(run(reading(file.fileName()), options).exit_code(), 3);
        QCOMPARE(run(reading(allowed.filePath("link/in.txt")), options).exit_code(), 3);
        QCOMPARE(run(reading(allowed.path() + "/../" + QFileInfo(secret.path()).fileName() + "/in.txt"), options)
                     .exit_code(),
                 3);
        options.allowed.push_back(file.fileName().toStdString());
        QCOMPARE(run(reading(file.fileName()), options).exit_code(), 0);
    }

    void check_cache_computes_hits_again() {
        ResultCache cache;
        run(sums(), {.cache = &cache});
        computed = 0;
        const gpu::ScopedSwitch check(&gpu::Switches::check, std::string("cache"));
        QCOMPARE(run(sums(), {.cache = &cache}).status, RunStatus::Done);
        QCOMPARE(computed.load(), 5);
    }

    void long_chains_need_no_deep_stack() {
        Document document = Document().add_node("stub.constant", "n0");
        std::string before = "n0", socket = "out";
        for (int i = 1; i < 400; ++i) {
            const std::string id = "n" + std::to_string(i);
            document = document.add_node("stub.add", id).connect({before, socket}, {id, "a"});
            before = id, socket = "sum";
        }
        Recorder seen;
        QCOMPARE(run(document, {.on_event = seen.sink()}).computed, 400);
        QCOMPARE(seen.number(before, "sum"), 1.0 + 399 * 10);
    }

    void runner_replaces_the_run_that_goes() {
        std::mutex mutex;
        std::vector<std::pair<int, RunStatus>> ended;
        Runner runner([](int, const Event&) {},
                      [&](int number, const RunResult& result) {
                          const std::lock_guard lock(mutex);
                          ended.emplace_back(number, result.status);
                      });
        const Document slow = Document().add_node("stub.counter", "slow").set_param("slow", "steps", 100000);
        QCOMPARE(runner.start(slow), 1);
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        QVERIFY(runner.busy());
        QCOMPARE(runner.start(sums()), 2);
        runner.wait();
        QVERIFY(!runner.busy());
        QCOMPARE(ended.size(), 2u);
        QCOMPARE(ended[0], std::make_pair(1, RunStatus::Cancelled));
        QCOMPARE(ended[1], std::make_pair(2, RunStatus::Done));
        QVERIFY(runner.cache().stats().entries > 0);
        runner.start(slow);  // the destructor cancels it
    }
};

}  // namespace tests

using tests::ExecutorTest;
HEDDLE_TEST(executor, ExecutorTest)
#include "executor.moc"
