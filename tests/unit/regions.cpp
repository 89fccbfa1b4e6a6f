// Loop regions: what goes round, what is run anew, and what is refused.
#include "nodes/core/regions.h"

#include <QDir>

#include "nodes/core/any_type.h"
#include "nodes/core/executor.h"
#include "nodes/core/validate.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

// a += index, from `start`: loop.begin -> sum -> loop.end
Document summing(int count) {
    return Document()
        .add_node("stub.constant", "start")
        .add_node("loop.begin", "begin")
        .set_param("begin", "count", count)
        .add_node("stub.add", "sum")
        .add_node("loop.end", "end")
        .connect({"start", "out"}, {"begin", "a"})
        .connect({"begin", "a"}, {"sum", "a"})
        .connect({"begin", "index"}, {"sum", "b"})
        .connect({"begin", "loop"}, {"end", "loop"})
        .connect({"sum", "sum"}, {"end", "a"})
        .add_node("stub.add", "after")
        .connect({"end", "a"}, {"after", "a"});
}

double last_number(const std::vector<Event>& events, const std::string& node, const std::string& socket) {
    double number = std::nan("");
    for (const Event& event : events)
        if (const auto* made = std::get_if<event::Produced>(&event); made && made->node == node && made->socket == socket)
            if (const double* value = made->value.get<double>()) number = *value;
    return number;
}

std::vector<std::string> messages(const Document& document) {
    std::vector<std::string> found;
    for (const Problem& problem : validate(document))
        if (problem.kind == ProblemKind::BadRegion || problem.kind == ProblemKind::TypeMismatch) found.push_back(problem.text());
    return found;
}

}  // namespace

class RegionsTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void values_go_round() {
        for (int count : {1, 2, 10}) {
            Recorder seen;
            const RunResult result = run(summing(count), {.on_event = seen.sink()});
            QCOMPARE(result.status, RunStatus::Done);
            QCOMPARE(last_number(seen.events, "end", "a"), 1.0 + count * (count - 1) / 2);
            QCOMPARE(last_number(seen.events, "after", "sum"), 11.0 + count * (count - 1) / 2);
        }
    }

    void the_number_of_iterations_may_be_computed() {
        const Document document = summing(10).add_node("stub.constant", "four").set_param("four", "value", 4).connect({"four", "out"}, {"begin", "times"});
        Recorder seen;
        QCOMPARE(run(document, {.on_event = seen.sink()}).status, RunStatus::Done);
        QCOMPARE(last_number(seen.events, "end", "a"), 7.0);
        QCOMPARE(run(document.set_param("four", "value", 2.5)).failures.at(0).socket, std::string("times"));
    }

    void a_condition_ends_it() {
        // again = 5 - index - 2 ... 0 at index 3: sum counts down.
        Document document = summing(100).add_node("stub.constant", "minus").set_param("minus", "value", -3).add_node("stub.add", "left");
        document = document.connect({"begin", "index"}, {"left", "a"}).connect({"minus", "out"}, {"left", "b"}).connect({"left", "sum"}, {"end", "again"});
        Recorder seen;
        QCOMPARE(run(document, {.on_event = seen.sink()}).status, RunStatus::Done);
        QCOMPARE(last_number(seen.events, "end", "a"), 1.0 + 0 + 1 + 2 + 3);
    }

    void loops_nest() {
        // Three times: a loop of four that adds its index, 6 in all.
        Document document = summing(4).add_node("loop.begin", "outer").set_param("outer", "count", 3).add_node("loop.end", "outer_end");
        document = document.connect({"start", "out"}, {"outer", "a"})
                       .connect({"outer", "a"}, {"begin", "a"})
                       .connect({"end", "a"}, {"outer_end", "a"})
                       .connect({"outer", "loop"}, {"outer_end", "loop"})
                       .connect({"outer_end", "a"}, {"after", "a"});
        const std::vector<Region> regions = regions_of(document);
        QCOMPARE(regions.size(), 2u);
        QCOMPARE(regions[0].end, std::string("end"));
        QVERIFY(regions[1].body.contains("end") && regions[1].body.contains("sum"));
        ResultCache cache;
        for (int round = 0; round < 2; ++round) {
            Recorder seen;
            const RunResult result = run(document, {.cache = &cache, .on_event = seen.sink()});
            QCOMPARE(result.status, RunStatus::Done);
            QCOMPARE(last_number(seen.events, "after", "sum"), 1.0 + 18 + 10);
            if (round == 1) QCOMPARE(result.computed, 0);
        }
    }

    void finished_iterations_are_not_computed_again() {
        ResultCache cache;
        run(summing(5), {.cache = &cache});
        computed = 0;
        const RunResult again = run(summing(5), {.cache = &cache});
        QCOMPARE(again.computed, 0);
        QCOMPARE(again.cached, 1);      // the target alone is looked up
        // A loop whose end has changed takes its iterations from the cache.
        Document document = summing(5).add_node("stub.constant", "yes").connect({"yes", "out"}, {"end", "again"});
        computed = 0;
        const RunResult other = run(document, {.cache = &cache});
        QCOMPARE(other.status, RunStatus::Done);
        QCOMPARE(computed.load(), 1);      // the constant; what is new beside it are begin and end
    }

    void what_hangs_on_the_body_runs_every_time() {
        const QTemporaryDir folder;
        Document document = summing(4).add_node("stub.write", "write").set_param("write", "file", folder.filePath("sum.txt"));
        document = document.connect({"sum", "sum"}, {"write", "in"});
        ResultCache cache;
        for (int round = 0; round < 2; ++round) {      // also where everything else is cached
            QFile::remove(folder.filePath("sum.txt"));
            const RunResult result = run(document, {.cache = &cache});
            QCOMPARE(result.status, RunStatus::Done);
            QCOMPARE(result.outputs.size(), 4u);
            QFile file(folder.filePath("sum.txt"));
            QVERIFY(file.open(QIODevice::ReadOnly));
            QCOMPARE(file.readAll(), QByteArray("7"));
        }
    }

    void a_target_inside_runs_the_first_iteration() {
        Recorder seen;
        const RunResult result = run(summing(9), {.targets = {"sum"}, .on_event = seen.sink()});
        QCOMPARE(result.status, RunStatus::Done);
        QCOMPARE(last_number(seen.events, "sum", "sum"), 1.0);
        QCOMPARE(result.computed, 3);
    }

    void failures_name_the_node_inside() {
        Document document = summing(5).add_node("stub.failing", "bad").connect({"sum", "sum"}, {"bad", "in"}).connect({"bad", "out"}, {"end", "a"});
        const RunResult result = run(document);
        QCOMPARE(result.status, RunStatus::Failed);
        QCOMPARE(result.failures.size(), 1u);
        QCOMPARE(result.failures[0].node, std::string("bad"));
    }

    void a_loop_can_be_cancelled() {
        const Document document = summing(1000).add_node("stub.counter", "slow").set_param("slow", "steps", 1000).connect({"begin", "a"}, {"slow", "start"}).connect({"slow", "out"}, {"sum", "a"});
        gpu::CancelToken cancel;
        std::thread stop([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            cancel.cancel();
        });
        const auto start = std::chrono::steady_clock::now();
        const RunResult result = run(document, {.cancel = cancel});
        stop.join();
        QCOMPARE(result.status, RunStatus::Cancelled);
        QVERIFY(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
    }

    void types_follow_the_links() {
        const Document document = summing(3);
        QCOMPARE(flowing_type(document, {"begin", "a"}), &socket_type<double>());
        QCOMPARE(flowing_type(document, {"end", "a"}), &socket_type<double>());
        QVERIFY(!flowing_type(document, {"begin", "b"}));
        QVERIFY(messages(document).empty());
        const Document text = document.add_node("stub.kinds", "text").connect({"text", "out"}, {"begin", "a"});
        QVERIFY(!connect_problem(text, {"begin", "a"}, {"sum", "a"}).empty());
        QVERIFY(!messages(text).empty());
        // Nothing comes in, so that nothing can come out.
        const Document empty = document.disconnect({"start", "out"}, {"begin", "a"});
        QVERIFY(has_errors(validate(empty)));
        QCOMPARE(run(empty).status, RunStatus::Invalid);
    }

    void damaged_regions_are_refused() {
        const Document good = summing(3);
        // A node that reads the inside and the result.
        const Document both = good.connect({"sum", "sum"}, {"after", "b"});
        QVERIFY(!messages(both).empty());
        QCOMPARE(run(both).status, RunStatus::Invalid);
        // A second end.
        const Document twice = good.add_node("loop.end", "other").connect({"begin", "loop"}, {"other", "loop"}).connect({"sum", "sum"}, {"other", "a"});
        QVERIFY(!messages(twice).empty());
        // Two loops that share a node, neither inside of the other.
        const Document crossed = good.add_node("loop.begin", "begin2").add_node("loop.end", "end2").connect({"begin2", "loop"}, {"end2", "loop"})
                                     .connect({"begin2", "index"}, {"sum", "b"}).connect({"sum", "sum"}, {"end2", "a"});
        QVERIFY(!messages(crossed).empty());
        // Comes back as another type.
        const Document other = good.add_node("stub.kinds", "text").connect({"text", "out"}, {"end", "a"});
        QVERIFY(!messages(other).empty());
        // A begin alone is a warning, and runs once.
        const Document open = good.remove_node("end").connect({"sum", "sum"}, {"after", "a"});
        QVERIFY(!has_errors(validate(open)));
        QCOMPARE(run(open).status, RunStatus::Done);
    }
};

}  // namespace tests

using tests::RegionsTest;
HEDDLE_TEST(regions, RegionsTest)
#include "regions.moc"
