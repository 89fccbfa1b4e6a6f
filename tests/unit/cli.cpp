// The program as a process: exit statuses, what stands on stdout, and that nothing is written on failure.
#include <sys/wait.h>
#include <unistd.h>

#include <QDir>
#include <QElapsedTimer>
#include <QImage>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <csignal>

#include "app/cli/interrupt.h"
#include "tests/support/test.h"

namespace tests {
namespace {

struct Outcome {
    int status = -1;
    QByteArray out;
    QByteArray err;
};

Outcome heddle(const QStringList& arguments, const QByteArray& input = {}, const QString& folder = {}) {
    QProcess process;
    if (!folder.isEmpty()) process.setWorkingDirectory(folder);
    process.start(QStringLiteral(HEDDLE_BINARY), arguments);
    process.write(input);
    process.closeWriteChannel();
    if (!process.waitForFinished(20000)) return {};
    return {process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError()};
}

const QString first = QStringLiteral(HEDDLE_SOURCE_DIR "/tests/golden/documents/first.heddle");

// A document with these members of "nodes" and of "links".
QByteArray graph(const char* nodes, const char* links = "") {
    return QByteArray("{\"heddle\": 1, \"nodes\": {") + nodes + "}, \"links\": [" + links + "]}";
}

QList<QJsonObject> json_lines(const QByteArray& text) {
    QList<QJsonObject> lines;
    for (const QByteArray& line : text.trimmed().split('\n')) lines.append(QJsonDocument::fromJson(line).object());
    return lines;
}

}  // namespace

class CliTest : public QObject {
    Q_OBJECT
private slots:
    void starts_in_no_time() {
        qint64 best = 1000;
        for (int i = 0; i < 5; ++i) {
            QElapsedTimer clock;
            clock.start();
            const Outcome version = heddle({"--version"});
            best = std::min(best, clock.elapsed());
            QCOMPARE(version.status, 0);
            QVERIFY(version.out.startsWith("heddle "));
        }
        qInfo("heddle --version: %lld ms", static_cast<long long>(best));
        QVERIFY(best < 500);  // the goal is 50; the limit leaves room for sanitizers and busy machines
    }

    void help() {
        QCOMPARE(heddle({}).status, 2);
        const QByteArray overview = heddle({"--help"}).out;
        for (const char* name : {"run", "validate", "nodes", "describe", "inspect", "devices", "convert"}) {
            QVERIFY2(overview.contains(QByteArray("  ") + name + " "), name);
            const Outcome page = heddle({name, "--help"});
            QCOMPARE(page.status, 0);
            QVERIFY(page.out.startsWith(QByteArray("Usage: heddle ") + name));
        }
        QVERIFY(heddle({"--help-env"}).out.contains("HEDDLE_DEVICE"));
    }

    void runs_a_graph() {
        const Outcome plain = heddle({"run", first});
        QCOMPARE(plain.out, QByteArray("report.product 7.5 px\n"));
        QCOMPARE(plain.status, 0);
        QVERIFY(plain.err.isEmpty());
        QCOMPARE(heddle({"run", first, "--set", "two.value=4", "--set=report.unit="}).out,
                 QByteArray("report.product 12\n"));
        QCOMPARE(heddle({"run", first, "--target", "product"}).out, QByteArray());
    }

    void reads_stdin() {
        const QByteArray text = graph(R"("n": {"type": "value.number"}, "r": {"type": "value.report"})",
                                      R"({"from": "n.number", "to": "r.number"})");
        QCOMPARE(heddle({"run", "-", "--set", "n.value=2"}, text).out, QByteArray("r.value 2\n"));
    }

    void json_lines_tell_the_run() {
        const Outcome outcome = heddle({"run", first, "--progress", "json"});
        const QList<QJsonObject> lines = json_lines(outcome.out);
        QStringList events;
        for (int i = 0; i < lines.size(); ++i) {
            QCOMPARE(lines[i]["v"].toInt(), 1);
            QCOMPARE(lines[i]["seq"].toInt(-1), i);
            events << lines[i]["event"].toString();
        }
        QCOMPARE(events.first(), QString("start"));
        QCOMPARE(events[1], QString("plan"));
        QCOMPARE(events.last(), QString("end"));
        QCOMPARE(events.count("node_start"), 4);
        QCOMPARE(events.count("node_end"), 4);
        QCOMPARE(lines[events.indexOf("metric")]["value"].toDouble(), 7.5);
        QCOMPARE(lines.last()["status"].toString(), QString("done"));
        QCOMPARE(lines.last()["exit_code"].toInt(-1), 0);
    }

    void failures_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QByteArray>("input");
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("message");
        const QByteArray none;
        const auto row = [](const char* name, const QStringList& arguments, const QByteArray& input, int status,
                            const char* message) {
            QTest::newRow(name) << arguments << input << status << QByteArray(message);
        };
        row("unknown command", {"rnu"}, none, 2, "did you mean 'run'?");
        row("unknown option", {"run", first, "--tagret", "x"}, none, 2, "did you mean --target?");
        row("no graph", {"run"}, none, 2, "expected GRAPH, got nothing");
        row("unknown set", {"run", first, "--set", "tow.value=1"}, none, 2, "did you mean 'two'?");
        row("set out of type", {"run", first, "--set", "two.value=x"}, none, 2, "expected a number, got 'x'");
        row("unknown target", {"run", first, "--target", "reprot"}, none, 2, "did you mean 'report'?");
        row("output of none", {"run", first, "-o", "x.png"}, none, 2, "there is none");
        row("missing file", {"run", "/nowhere.heddle"}, none, 4, "there is no /nowhere.heddle");
        row("no json", {"run", "-"}, "{\"heddle\": 1", 4, "line 1, column");
        row("no document", {"run", "-"}, "{}", 4, "expected a Heddle document");
        row("unknown node", {"run", "-"}, graph(R"("n": {"type": "value.nubmer"})"), 3, "did you mean 'value.number'?");
        row("missing input", {"run", "-"}, graph(R"("r": {"type": "value.report"})"), 3, "r.number: expected a link");
        row("cycle", {"run", "-"},
            graph(R"("a": {"type": "value.report"}, "b": {"type": "value.report"})",
                  R"({"from": "a.number", "to": "b.number"}, {"from": "b.number", "to": "a.number"})"),
            3, "a -> b -> a");
        row("wrong type", {"run", "-"},
            graph(R"("t": {"type": "value.text"}, "r": {"type": "value.report"})",
                  R"({"from": "t.text", "to": "r.number"})"),
            3, "expected number, got text");
        row("numeric", {"run", first, "--set", "product.operation=divide", "--set", "three.value=0"}, none, 8,
            "product.b: expected a finite result");
        row("validate", {"validate", "-"}, graph(R"("r": {"type": "value.report"})"), 3, "");
        row("describe", {"describe", "value.nubmer"}, none, 4, "did you mean 'value.number'?");
        row("inspect", {"inspect", "/nowhere.safetensors"}, none, 4, "/nowhere.safetensors");
        row("convert", {"convert", first, "x.png"}, none, 2, "expected OUT to end in .heddle, .safetensors or .gguf");
        row("convert to nowhere", {"convert", first, "/nowhere/x.heddle"}, none, 9, "/nowhere/x.heddle");
    }
    void failures() {
        QFETCH(QStringList, arguments);
        QFETCH(QByteArray, input);
        QFETCH(int, status);
        QFETCH(QByteArray, message);
        QTemporaryDir folder;
        const Outcome outcome = heddle(arguments, input, folder.path());
        QVERIFY2(outcome.err.contains(message), outcome.err.constData());
        QCOMPARE(outcome.status, status);
        QVERIFY2(QDir(folder.path()).isEmpty(), "a failure leaves nothing behind");
    }

    void errors_come_as_json_too() {
        const Outcome outcome = heddle({"run", "-", "--json"}, graph(R"("r": {"type": "value.report"})"));
        const QList<QJsonObject> lines = json_lines(outcome.out);
        QCOMPARE(lines[1]["event"].toString(), QString("error"));
        QCOMPARE(lines[1]["id"].toString() + "." + lines[1]["port"].toString(), QString("r.number"));
        QCOMPARE(lines.last()["exit_code"].toInt(), 3);
        const Outcome missing = heddle({"run", "/nowhere.heddle", "--json"});
        QCOMPARE(json_lines(missing.out)[0]["code"].toString(), QString("missing-file"));
    }

    void validate_prints_every_problem() {
        const Outcome outcome =
            heddle({"validate", "-", "--json"},
                   graph(R"("r": {"type": "value.report", "params": {"label": 1}}, "x": {"type": "no.such"})"));
        QCOMPARE(QJsonDocument::fromJson(outcome.out).object()["problems"].toArray().size(), 3);
        QCOMPARE(heddle({"validate", first}).out, QByteArray("ok: 4 nodes, 3 links\n"));
    }

    void describe_and_nodes() {
        QVERIFY(heddle({"describe", first}).out.contains("two.value"));
        QVERIFY(heddle({"describe", "value.report"}).out.contains("Prints a number"));
        const QJsonObject catalogue = QJsonDocument::fromJson(heddle({"nodes", "--json"}).out).object();
        QVERIFY(catalogue["nodes"].toArray().size() >= 4);
        QVERIFY(heddle({"nodes"}).out.contains("value.calculate"));
    }

    void convert_makes_canonical_documents() {
        QTemporaryDir folder;
        QCOMPARE(heddle({"convert", "-", folder.filePath("a.heddle")},
                        graph(R"("n": {"type": "value.number", "params": {"value": 1.0}})"))
                     .status,
                 0);
        QCOMPARE(heddle({"convert", folder.filePath("a.heddle"), folder.filePath("b.heddle")}).status, 0);
        QFile a(folder.filePath("a.heddle")), b(folder.filePath("b.heddle"));
        QVERIFY(a.open(QIODevice::ReadOnly) && b.open(QIODevice::ReadOnly));
        const QByteArray text = a.readAll();
        QVERIFY(text.contains("\"value\": 1}"));
        QCOMPARE(text, b.readAll());
    }

    void full_stdout_is_an_error() {
        QProcess process;
        process.setStandardOutputFile("/dev/full");
        process.start(QStringLiteral(HEDDLE_BINARY), {"nodes", "--json"});
        QVERIFY(process.waitForFinished(20000));
        QCOMPARE(process.exitCode(), 9);
    }

    void the_first_signal_cancels() {
        const gpu::CancelToken token;
        const app::InterruptScope scope(token);
        QVERIFY(!token.cancelled());
        std::raise(SIGINT);
        QVERIFY(token.cancelled());
        QCOMPARE(scope.signal(), SIGINT);
    }

    void a_user_signal_holds_and_lets_go() {
        const gpu::CancelToken token;
        const nodes::PauseToken pause;
        const app::InterruptScope scope(token, pause);
        std::raise(SIGUSR1);
        QVERIFY(pause.paused());
        std::raise(SIGUSR1);
        QVERIFY(!pause.paused() && !token.cancelled());
    }

    void a_run_is_paused_from_outside() {
        // Many short iterations, so that it is still going when the signal comes.
        const QByteArray text = graph(R"("one": {"type": "value.number", "params": {"value": 1}}, "begin": {"type": "loop.begin", "params": {"count": 20000}},
            "sum": {"type": "value.calculate"}, "end": {"type": "loop.end"}, "report": {"type": "value.report", "params": {"label": "sum"}})",
                                      R"({"from": "one.number", "to": "begin.a"}, {"from": "begin.a", "to": "sum.a"}, {"from": "one.number", "to": "sum.b"},
            {"from": "begin.loop", "to": "end.loop"}, {"from": "sum.result", "to": "end.a"}, {"from": "end.a", "to": "report.number"})");
        QProcess process;
        process.start(QStringLiteral(HEDDLE_BINARY), {"run", "-", "--no-cache", "--progress", "json"});
        process.write(text);
        process.closeWriteChannel();
        QByteArray seen;
        const auto until = [&](const char* event) {
            while (!seen.contains(QByteArray("\"event\":\"") + event))
                if (!process.waitForReadyRead(20000)) return false;
                else seen += process.readAllStandardOutput();
            return true;
        };
        QVERIFY(until("node_start"));
        QCOMPARE(kill(static_cast<pid_t>(process.processId()), SIGUSR1), 0);
        QVERIFY(until("paused"));
        QVERIFY(!seen.contains("\"event\":\"end\""));
        QCOMPARE(kill(static_cast<pid_t>(process.processId()), SIGUSR1), 0);
        QVERIFY(until("resumed"));
        QVERIFY(process.waitForFinished(20000));
        seen += process.readAllStandardOutput();
        QCOMPARE(process.exitCode(), 0);
        QVERIFY(seen.contains("\"value\":20001"));
    }

    void the_second_signal_ends_the_process() {
        const pid_t child = fork();
        if (child == 0) {
            const app::InterruptScope scope{gpu::CancelToken()};
            std::raise(SIGTERM);
            std::raise(SIGINT);
            _exit(0);
        }
        int status = 0;
        QCOMPARE(waitpid(child, &status, 0), child);
        QVERIFY(WIFEXITED(status));
        QCOMPARE(WEXITSTATUS(status), 130);
    }

    void sweeps_every_combination() {
        QTemporaryDir folder;
        const QByteArray text = graph(R"("a": {"type": "value.number"}, "b": {"type": "value.number", "params": {"value": 2}},
            "ratio": {"type": "value.calculate", "params": {"operation": "divide"}}, "report": {"type": "value.report", "params": {"label": "ratio"}})",
                                      R"({"from": "a.number", "to": "ratio.a"}, {"from": "b.number", "to": "ratio.b"}, {"from": "ratio.result", "to": "report.number"})");
        const QString path = folder.filePath("g.heddle"), table = folder.filePath("t.csv");
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(text) == text.size());
        file.close();
        const Outcome done = heddle({"sweep", path, "--vary", "a.value=1:3:3", "--vary", "b.value=4,5", "--table", table, "--json", "--no-cache"});
        QVERIFY2(done.status == 0, done.err);
        const QList<QJsonObject> lines = json_lines(done.out);
        QCOMPARE(lines.size(), 6);
        QCOMPARE(lines[1]["params"]["a.value"].toString(), QString("1"));  // the last one changes fastest
        QCOMPARE(lines[1]["metrics"]["report.ratio"].toDouble(), 0.2);
        QCOMPARE(lines[4]["metrics"]["report.ratio"].toDouble(), 0.75);
        QFile rows(table);
        QVERIFY(rows.open(QIODevice::ReadOnly));
        const QByteArrayList csv = rows.readAll().split('\n');
        QCOMPARE(csv[0], QByteArray("a.value,b.value,report.ratio,exit_code"));
        QCOMPARE(csv[6], QByteArray("3,5,0.6,0"));
        // A value that can not be stops it before anything runs; a cell that fails does not stop the others.
        QCOMPARE(heddle({"sweep", path, "--vary", "a.value=1,x"}).status, 2);
        QCOMPARE(heddle({"sweep", path}).status, 2);
        const Outcome partly = heddle({"sweep", path, "--vary", "b.value=0,1", "--json", "--no-cache"});
        QCOMPARE(partly.status, 10);
        QCOMPARE(json_lines(partly.out).size(), 2);
    }

    void a_sheet_is_labelled() {
        QTemporaryDir folder;
        const QByteArray text = graph(R"("noise": {"type": "image.noise", "params": {"width": 64, "height": 48}}, "blur": {"type": "image.blur"},
            "save": {"type": "image.save", "params": {"file": "x.png"}})", R"({"from": "noise.image", "to": "blur.image"}, {"from": "blur.image", "to": "save.image"})");
        const QString path = folder.filePath("g.heddle"), sheet = folder.filePath("sheet.png");
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(text) == text.size());
        file.close();
        const Outcome done = heddle({"sweep", path, "--vary", "noise.seed=1,2", "--vary", "blur.sigma=0.5,2,4", "--sheet", sheet, "--output-dir", folder.path(), "--no-cache"});
        QVERIFY2(done.status == 0, done.err);
        const QImage picture(sheet);
        const int left = picture.width() - (3 * 68 + 4), top = picture.height() - (2 * 52 + 4);
        QVERIFY2(left > 20 && left < 100 && top > 10 && top < 60, qPrintable(QString("%1 %2").arg(left).arg(top)));
        const auto ink = [&](int x, int y, int w, int h) {
            int dark = 0;
            for (int v = y; v < y + h; ++v)
                for (int u = x; u < x + w; ++u) dark += qGray(picture.pixel(u, v)) < 128;
            return dark;
        };
        for (int column = 0; column < 3; ++column) QVERIFY(ink(left + 4 + column * 68, 0, 64, top) > 10);      // "sigma: 0.5"
        for (int row = 0; row < 2; ++row) QVERIFY(ink(0, top + 4 + row * 52, left, 48) > 10);                  // "seed: 1"
        QCOMPARE(ink(0, 0, left, top), 0);
        QCOMPARE(picture.pixel(left + 4, top + 4), QImage(folder.filePath("x-001.png")).pixel(0, 0));
        QCOMPARE(picture.pixel(left + 4 + 2 * 68 + 63, top + 4 + 52 + 47), QImage(folder.filePath("x-006.png")).pixel(63, 47));
    }

    void the_reference_has_every_node() {
        QTemporaryDir folder;
        QCOMPARE(heddle({"nodes", "--html", folder.filePath("nodes.html")}).status, 0);
        QFile file(folder.filePath("nodes.html"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray page = file.readAll();
        const QJsonDocument catalogue = QJsonDocument::fromJson(heddle({"nodes", "--json"}).out);
        const QJsonObject schema = QJsonDocument::fromJson(heddle({"nodes", "--schema"}).out).object();
        const QJsonArray nodes = catalogue["nodes"].toArray(), rules = schema["$defs"]["node"]["allOf"].toArray();
        QVERIFY(nodes.size() > 50);
        QCOMPARE(rules.size(), nodes.size());
        for (int i = 0; i < nodes.size(); ++i) {
            QVERIFY(page.contains("<h3 id=\"" + nodes[i]["id"].toString().toUtf8() + "\">"));
            QCOMPARE(rules[i]["if"]["properties"]["type"]["const"], nodes[i]["id"]);
            QCOMPARE(rules[i]["then"]["properties"]["params"]["properties"].toObject().size(), nodes[i]["params"].toArray().size());
        }
    }

    void merges_as_git_asks() {
        QTemporaryDir folder;
        const auto write = [&](const char* name, const QByteArray& value) {
            QFile file(folder.filePath(name));
            const QByteArray node = R"("a": {"type": "value.number", "params": {"value": )" + value + "}}";
            if (file.open(QIODevice::WriteOnly)) file.write(graph(node.constData()));
            return file.fileName();
        };
        const QString base = write("base", "1"), ours = write("ours", "2"), theirs = write("theirs", "3");
        QCOMPARE(heddle({"merge", base, ours, base, "-o", ours}).status, 0);
        const Outcome conflict = heddle({"merge", base, ours, theirs, "--json"});
        QCOMPARE(conflict.status, 1);
        QVERIFY2(conflict.err.contains("conflict: nodes.a.params.value: ours 2, theirs 3"), conflict.err);
        QCOMPARE(QJsonDocument::fromJson(conflict.out)["conflicts"].toArray().size(), 1);
    }
};

}  // namespace tests

using tests::CliTest;
HEDDLE_TEST(cli, CliTest)
#include "cli.moc"
