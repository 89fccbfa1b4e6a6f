// Looking at results of earlier runs without one, and runs that visit what somebody looks at.
#include "nodes/core/peek.h"

#include "nodes/core/disk_cache.h"
#include "tests/support/stub_nodes.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

// slow -> sum -> last, which alone is asked for; slow takes long enough to be kept on the disk.
Document chain() {
    return Document()
        .add_node("stub.counter", "slow")
        .set_param("slow", "steps", 30)
        .add_node("stub.add", "sum")
        .connect({"slow", "out"}, {"sum", "a"})
        .add_node("stub.counter", "last")
        .set_param("last", "steps", 25)
        .connect({"sum", "sum"}, {"last", "start"});
}

}  // namespace

class PeekTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { register_stub_nodes(); }

    void results_on_the_disk_are_found_without_a_run() {
        const QTemporaryDir folder;
        const auto disk = std::make_shared<DiskCache>(DiskCache::Place{.folder = folder.filePath("results").toStdString(), .stamp = "a"});
        {
            ResultCache cache;
            cache.set_disk(disk);
            QCOMPARE(run(chain(), {.cache = &cache}).status, RunStatus::Done);
        }
        ResultCache cache;
        cache.set_disk(disk);
        const int before = computed;
        const auto found = peek(chain(), {"slow", "sum", "last"}, {}, cache);
        QCOMPARE(computed.load(), before);
        QCOMPARE(found.size(), 2u);      // the sum was quicker than a file
        QCOMPARE(found[0].node, std::string("slow"));
        QCOMPARE(found[0].socket, std::string("out"));
        QCOMPARE(*found[0].value.get<double>(), 30.0);
        QCOMPARE(*found[1].value.get<double>(), 65.0);
        QVERIFY(peek(chain().set_param("slow", "steps", 31), {"slow", "last"}, {}, cache).empty());      // another key
    }

    void what_can_not_run_is_not_found() {
        ResultCache cache;
        QCOMPARE(run(chain(), {.cache = &cache}).status, RunStatus::Done);
        QCOMPARE(peek(chain(), {"sum"}, {}, cache).size(), 1u);
        QVERIFY(peek(chain(), {"none", ""}, {}, cache).empty());
        QVERIFY(peek(chain().set_mode("sum", NodeMode::Muted), {"sum"}, {}, cache).empty());
        QVERIFY(peek(chain().connect({"last", "out"}, {"slow", "start"}), {"slow"}, {}, cache).empty());      // a cycle
        QVERIFY(peek(chain().add_node("no.such", "unknown"), {"unknown"}, {}, cache).empty());
        QCOMPARE(peek(chain().add_node("no.such", "unknown"), {"unknown", "sum"}, {}, cache).size(), 1u);
    }

    void files_of_others_are_not_asked_for() {
        const QTemporaryDir folder;
        const std::string path = folder.filePath("text").toStdString();
        QFile file(QString::fromStdString(path));
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write("secret") == 6);
        file.close();
        const Document document = Document().add_node("stub.read", "read").set_param("read", "file", QString::fromStdString(path));
        ResultCache cache;
        QCOMPARE(run(document, {.cache = &cache}).status, RunStatus::Done);
        QCOMPARE(peek(document, {"read"}, {}, cache).size(), 1u);
        QVERIFY(peek(document, {"read"}, {.allowed = {"/nowhere"}}, cache).empty());
    }

    void a_run_visits_what_is_watched() {
        ResultCache cache;
        PlanMemo memo;
        const auto result = [&](std::vector<std::string> watched, Recorder& seen, const Document& document = chain()) {
            return run(document, {.watched = std::move(watched), .cache = &cache, .memo = &memo, .on_event = seen.sink()});
        };
        Recorder first, plain, watched, odd;
        QCOMPARE(result({}, first).computed, 3);
        QCOMPARE(result({}, plain).cached, 1);      // the last alone
        QCOMPARE(plain.number("sum", "sum"), -12345.0);
        const RunResult seen = result({"sum"}, watched);
        QCOMPARE(seen.cached, 2);
        QCOMPARE(seen.computed, 0);
        QCOMPARE(watched.number("sum", "sum"), 40.0);
        QCOMPARE(result({"none", "", "sum/x"}, odd).status, RunStatus::Done);
        Recorder muted;
        QCOMPARE(result({"sum"}, muted, chain().add_node("stub.constant", "other").set_mode("sum", NodeMode::Muted)).status, RunStatus::Done);
    }
};

}  // namespace tests

using tests::PeekTest;
HEDDLE_TEST(peek, PeekTest)
#include "peek.moc"
