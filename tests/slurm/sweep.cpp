// Sweeps through a real Slurm: cluster.sh starts one around this program.
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QSet>
#include <QTemporaryDir>
#include <csignal>
#include <functional>

#include "tests/support/test.h"

namespace tests {
namespace {

constexpr int patience_ms = 120000;

struct Outcome {
    int status = -1;
    QList<QJsonObject> lines;
    QByteArray err;

    QList<QJsonObject> events(const QString& name) const {
        QList<QJsonObject> found;
        for (const QJsonObject& line : lines)
            if (line["event"].toString() == name) found.append(line);
        return found;
    }
    QList<QJsonObject> cells() const {
        QList<QJsonObject> found;
        for (const QJsonObject& line : lines)
            if (!line.contains("event")) found.append(line);
        return found;
    }
};

QByteArray content_of(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

bool write(const QString& path, const QByteArray& text) {
    QFile file(path);
    return file.open(QIODevice::WriteOnly) && file.write(text) == text.size();
}

QByteArray slurm(const QString& program, const QStringList& arguments) {
    QProcess process;
    process.start(program, arguments);
    process.waitForFinished(patience_ms);
    return process.readAllStandardOutput();
}

// A picture of noise, blurred and saved, its brightness reported.
const char* quick = R"({"heddle": 1, "nodes": {
    "noise": {"type": "image.noise", "params": {"width": 64, "height": 48}},
    "blur": {"type": "image.blur", "params": {"sigma": 2}},
    "plain": {"type": "image.gradient", "params": {"width": 64, "height": 48}},
    "compare": {"type": "image.difference"},
    "save": {"type": "image.save", "params": {"file": "x.png"}}},
    "links": [{"from": "noise.image", "to": "blur.image"}, {"from": "blur.image", "to": "save.image"},
              {"from": "blur.image", "to": "compare.a"}, {"from": "plain.image", "to": "compare.b"}]})";

// The same in some seconds.
const char* slow = R"({"heddle": 1, "nodes": {
    "noise": {"type": "image.noise", "params": {"width": 64, "height": 48}},
    "begin": {"type": "loop.begin", "params": {"count": 5000}},
    "blur": {"type": "image.blur", "params": {"sigma": 2}},
    "end": {"type": "loop.end"},
    "save": {"type": "image.save", "params": {"file": "x.png"}}},
    "links": [{"from": "noise.image", "to": "begin.a"}, {"from": "begin.a", "to": "blur.image"}, {"from": "blur.image", "to": "end.a"},
              {"from": "begin.loop", "to": "end.loop"}, {"from": "end.a", "to": "save.image"}]})";

}  // namespace

class SlurmSweepTest : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> folder_;
    QString path(const QString& name) const { return folder_->filePath(name); }

    // Runs heddle in the folder; `watch` gets every JSON line as it comes.
    Outcome heddle(const QStringList& arguments, const std::function<void(QProcess&, const QJsonObject&)>& watch = {}) {
        QProcess process;
        process.setWorkingDirectory(folder_->path());
        process.start(QStringLiteral(HEDDLE_BINARY), arguments);
        Outcome outcome;
        QByteArray rest;
        const auto take = [&] {
            rest += process.readAllStandardOutput();
            for (qsizetype end; (end = rest.indexOf('\n')) >= 0; rest.remove(0, end + 1)) {
                outcome.lines.append(QJsonDocument::fromJson(rest.left(end)).object());
                if (watch) watch(process, outcome.lines.back());
            }
        };
        QElapsedTimer clock;
        clock.start();
        while (process.state() != QProcess::NotRunning && clock.elapsed() < patience_ms) {
            process.waitForReadyRead(100);
            take();
        }
        if (process.state() != QProcess::NotRunning) process.kill(), process.waitForFinished();
        take();
        outcome.status = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
        outcome.err = process.readAllStandardError();
        return outcome;
    }

    // Until no task of ours is left, so that one test does not see those of another.
    bool queue_is_empty() {
        QElapsedTimer clock;
        clock.start();
        while (clock.elapsed() < patience_ms) {
            if (slurm("squeue", {"--noheader", "--me"}).trimmed().isEmpty()) return true;
            QTest::qWait(100);
        }
        return false;
    }

private slots:
    void init() {
        if (qEnvironmentVariableIsEmpty("SLURM_CONF")) QSKIP("no cluster: run it by cluster.sh");
        folder_ = std::make_unique<QTemporaryDir>(QDir::tempPath() + "/heddle it's $(a) 100%A XXXXXX");
        QVERIFY(folder_->isValid());
        QVERIFY(write(path("quick.heddle"), quick));
        QVERIFY(write(path("slow.heddle"), slow));
    }

    void cleanup() {
        if (!folder_) return;
        QVERIFY(queue_is_empty());
        if (QTest::currentTestFailed())
            for (const QString& name : QDir(path("work/log")).entryList(QDir::Files)) qInfo() << name << content_of(path("work/log/" + name));
    }

    // Pictures, table and sheet are those of the local engine, byte for byte; a second call computes nothing.
    void same_files_as_here() {
        const QStringList sweep{"sweep", "quick.heddle", "--vary", "blur.sigma=1,3,5", "--vary", "noise.seed=1,2,3", "-o", "out $x.png",
                                "--sheet", "sheet.png", "--table", "table.csv", "--json"};
        const QStringList slurm_options{"--engine", "slurm", "--slurm", "--time=10 --cpus-per-task=1", "--work", "work 'x'"};
        QStringList files{"sheet.png", "table.csv"};
        for (int i = 1; i <= 9; ++i) files << QString("out $x-00%1.png").arg(i);

        // Nine shares and four indices an array: the cluster's MaxArraySize is 5.
        const Outcome there = heddle(sweep + slurm_options);
        QVERIFY2(there.status == 0, there.err);
        QCOMPARE(there.cells().size(), 9);
        QStringList tasks;
        for (const QJsonObject& event : there.events("submitted")) tasks << event["tasks"].toString();
        QCOMPARE(tasks, (QStringList{"1-4", "1-4", "1"}));
        QList<QByteArray> contents;
        for (const QString& file : files) contents << content_of(path(file));

        const Outcome again = heddle(sweep + slurm_options);
        QVERIFY2(again.status == 0, again.err);
        QCOMPARE(again.events("submitted").size(), 0);
        QCOMPARE(again.cells().size(), 9);

        for (const QString& file : files) QVERIFY2(QFile::remove(path(file)), qPrintable(file));
        const Outcome here = heddle(sweep);
        QVERIFY2(here.status == 0, here.err);
        for (int i = 0; i < files.size(); ++i) {
            QVERIFY2(!contents[i].isEmpty(), qPrintable(files[i]));
            QVERIFY2(content_of(path(files[i])) == contents[i], qPrintable(files[i]));
        }
        QVERIFY(contents[1].startsWith("blur.sigma,noise.seed,compare."));

        // A picture that is gone is made again, and nothing else.
        QVERIFY(QFile::remove(path("out $x-006.png")));
        const Outcome repaired = heddle(sweep + slurm_options);
        QCOMPARE(repaired.status, 0);
        QCOMPARE(repaired.events("submitted").size(), 1);
        QCOMPARE(repaired.events("submitted")[0]["tasks"].toString(), QString("2"));  // index 2 of the second array's share
        QCOMPARE(content_of(path("out $x-006.png")), contents[7]);
    }

    // Two cells a task; one cell fails until its way is free, one for good, one can not work and is not tried again.
    void failed_cells_go_out_again() {
        QVERIFY(QDir(folder_->path()).mkdir("ok"));
        QVERIFY(write(path("once"), "in the way") && write(path("never"), "in the way"));
        const Outcome outcome = heddle({"sweep", "quick.heddle", "--vary", "save.file=ok/a.png,once/b.png,ok/c.png,never/d.png,ok/e.png", "--engine", "slurm",
                                        "--cells-per-job", "2", "--retries", "3", "--work", "work", "--table", "table.csv", "--json"},
                                       [&](QProcess&, const QJsonObject& line) {
                                           if (line["event"] == "retry" && line["cell"] == 2 && QFile::remove(path("once"))) QDir(folder_->path()).mkdir("once");
                                       });
        QVERIFY2(outcome.status == 10, outcome.err);
        int once = 0, never = 0;
        for (const QJsonObject& event : outcome.events("retry")) {
            once += event["cell"] == 2;
            never += event["cell"] == 4;
            QVERIFY(event["message"].toString().contains("Not a directory"));
        }
        QVERIFY2(once >= 1 && once <= 3, qPrintable(QString::number(once)));
        QCOMPARE(never, 3);
        QCOMPARE(outcome.events("retry").size(), once + never);
        const QList<QByteArray> rows = content_of(path("table.csv")).trimmed().split('\n');
        QCOMPARE(rows.size(), 6);
        for (int row = 1; row <= 5; ++row) QVERIFY2(rows[row].endsWith(row == 4 ? ",10" : ",0"), rows[row]);
        QVERIFY(QFileInfo::exists(path("once/b-002.png")));

        // Three tries are three, and the next call gives it new ones.
        QVERIFY(QFile::remove(path("never")) && QDir(folder_->path()).mkdir("never"));
        const Outcome repaired = heddle({"sweep", "quick.heddle", "--vary", "save.file=ok/a.png,once/b.png,ok/c.png,never/d.png,ok/e.png", "--engine", "slurm",
                                         "--cells-per-job", "2", "--work", "work", "--json"});
        QVERIFY2(repaired.status == 0, repaired.err);
        QCOMPARE(repaired.events("submitted").size(), 1);
        QCOMPARE(repaired.events("submitted")[0]["tasks"].toString(), QString("2"));
    }

    // Ctrl-C cancels the array; the same command goes on with what is missing.
    void goes_on_after_an_interrupt() {
        const QStringList sweep{"sweep", "slow.heddle", "--vary", "noise.seed=1,2,3,4", "--engine", "slurm", "--max-parallel", "1", "--work", "work", "--json"};
        QSet<int> done;
        const Outcome stopped = heddle(sweep, [&](QProcess& process, const QJsonObject& line) {
            if (!line.contains("cell") || line.contains("event")) return;
            if (done.isEmpty()) ::kill(static_cast<pid_t>(process.processId()), SIGINT);
            done.insert(line["cell"].toInt());
        });
        QVERIFY2(stopped.status == 130, stopped.err);
        QVERIFY(done.size() >= 1 && done.size() < 4);
        QCOMPARE(stopped.events("submitted")[0]["tasks"].toString(), QString("1-4%1"));
        QHash<int, QDateTime> times;
        for (const int cell : done) times[cell] = QFileInfo(path(QString("x-00%1.png").arg(cell))).lastModified();

        const Outcome whole = heddle(sweep);
        QVERIFY2(whole.status == 0, whole.err);
        QCOMPARE(whole.cells().size(), 4);
        QCOMPARE(whole.events("retry").size(), 0);      // nobody is blamed for what we cancelled
        for (const int cell : done) QCOMPARE(QFileInfo(path(QString("x-00%1.png").arg(cell))).lastModified(), times[cell]);
        QVERIFY(queue_is_empty());
    }

    // A runner that vanished: its jobs go on, and the next call waits for them.
    void finds_its_jobs_again() {
        const QStringList sweep{"sweep", "slow.heddle", "--vary", "noise.seed=1,2", "--engine", "slurm", "--work", "work", "--json"};
        const Outcome killed = heddle(sweep, [](QProcess& process, const QJsonObject& line) {
            if (line["event"] == "submitted") process.kill();
        });
        QCOMPARE(killed.status, -1);
        const Outcome other = heddle({"sweep", "slow.heddle", "--vary", "noise.seed=3,4", "--engine", "slurm", "--work", "work", "--json"});
        QVERIFY2(other.status == 2 && other.err.contains("jobs of another sweep"), other.err);
        const Outcome whole = heddle(sweep);
        QVERIFY2(whole.status == 0, whole.err);
        QCOMPARE(whole.events("submitted").size(), 0);
        QCOMPARE(whole.cells().size(), 2);
    }

    // A task that dies goes out again, one that somebody cancels does not.
    void lost_tasks() {
        bool killed = false, cancelled = false;
        const Outcome outcome = heddle({"sweep", "slow.heddle", "--vary", "noise.seed=1,2", "--set", "begin.count=12000", "--engine", "slurm", "--work", "work", "--progress", "json"},
                                       [&](QProcess&, const QJsonObject& line) {
                                           if (line["event"] != "task") return;
                                           const QString task = line["job"].toString();
                                           if (task.endsWith("_1") && !killed) killed = ::kill(static_cast<pid_t>(line["pid"].toInteger()), SIGKILL) == 0;
                                           if (task.endsWith("_2")) cancelled = slurm("scancel", {task}).isEmpty();
                                       });
        QVERIFY(killed && cancelled);
        QVERIFY2(outcome.status == 10, outcome.err);
        QCOMPARE(outcome.events("retry").size(), 1);
        QCOMPARE(outcome.events("retry")[0]["cell"].toInt(), 1);
        QVERIFY2(outcome.events("retry")[0]["message"].toString().contains("ended without a result (FAILED)"),
                 qPrintable(outcome.events("retry")[0]["message"].toString()));
        for (const QJsonObject& cell : outcome.cells()) {
            const QByteArray text = QJsonDocument(cell).toJson();
            const bool first = cell["cell"].toInt() == 1;
            QVERIFY2(cell["exit_code"].toInt(-1) == (first ? 0 : 1), text);
            QVERIFY2(first || cell["errors"][0].toString().contains("CANCELLED"), text);
        }
        QVERIFY(!outcome.events("sweep").isEmpty());
    }

    // A node that fails. Slurm would start the task again itself, but only after two minutes.
    void lost_node() {
        const QString node = QString::fromUtf8(slurm("sinfo", {"--noheader", "--format=%n"}).trimmed());
        bool failed = false;
        const Outcome outcome = heddle({"sweep", "slow.heddle", "--vary", "noise.seed=1", "--set", "begin.count=12000", "--engine", "slurm", "--slurm", "--no-requeue", "--work", "work", "--progress", "json"},
                                       [&](QProcess&, const QJsonObject& line) {
                                           if (line["event"] != "cell_start" || failed) return;
                                           failed = true;
                                           slurm("scontrol", {"update", "nodename=" + node, "state=down", "reason=test"});
                                           slurm("scontrol", {"update", "nodename=" + node, "state=resume"});
                                       });
        QVERIFY(failed);
        QVERIFY2(outcome.status == 0, outcome.err);
        QCOMPARE(outcome.events("retry").size(), 1);
        QVERIFY2(outcome.events("retry")[0]["message"].toString().contains("NODE_FAIL"), qPrintable(outcome.events("retry")[0]["message"].toString()));
        QVERIFY(QFileInfo::exists(path("x-001.png")));
    }

    // What cells have in common is computed once and read from the folder that all tasks share.
    void tasks_share_the_cache() {
        const QByteArray budget = qgetenv("HEDDLE_CACHE_BUDGET");
        qputenv("HEDDLE_CACHE_BUDGET", "1G");
        const QStringList sweep{"sweep", "slow.heddle", "--engine", "slurm", "--cache", "ca che", "--json"};
        const Outcome first = heddle(sweep + QStringList{"--vary", "save.file=a.png", "--work", "first"});
        const Outcome others = heddle(sweep + QStringList{"--vary", "save.file=b.png,c.png", "--work", "others"});
        qputenv("HEDDLE_CACHE_BUDGET", budget);
        QVERIFY2(first.status == 0 && others.status == 0, first.err + others.err);
        QVERIFY(!QDir(path("ca che")).entryList({"*.safetensors"}, QDir::Files).isEmpty());
        for (const char* name : {"others/cells/1.1.json", "others/cells/2.1.json"}) {
            const QByteArray text = content_of(path(name));
            QVERIFY2(QJsonDocument::fromJson(text)["cached"].toInt() > 0, text);
        }
        QVERIFY(QFileInfo::exists(path("b-001.png")) && QFileInfo::exists(path("c-002.png")));
    }

    void single_runs() {
        const Outcome run = heddle({"run", "quick.heddle", "-o", "one.png", "--engine", "slurm", "--json"});
        QVERIFY2(run.status == 0, run.err);
        QCOMPARE(run.events("output").size(), 1);
        QCOMPARE(run.events("output")[0]["path"].toString(), path("one.png"));
        QVERIFY(!run.events("metric").isEmpty());
        QCOMPARE(run.lines.last()["exit_code"].toInt(-1), 0);
        const QByteArray there = content_of(path("one.png"));
        QVERIFY(!there.isEmpty() && QFile::remove(path("one.png")));
        QCOMPARE(heddle({"run", "quick.heddle", "-o", "one.png"}).status, 0);
        QCOMPARE(content_of(path("one.png")), there);
    }

    void rows_of_inputs() {
        QVERIFY(write(path("rows.csv"), "noise.seed,blur.sigma\n1,2\n2,4\n"));
        const QStringList run{"run", "quick.heddle", "--inputs", "rows.csv", "--out", "new folder/{row}-{param:blur.sigma}.png", "--table", "table.csv", "--json"};
        const Outcome there = heddle(run + QStringList{"--engine", "slurm", "--work", "work"});
        QVERIFY2(there.status == 0, there.err);
        QCOMPARE(there.events("row").size(), 2);
        const QStringList files{"new folder/1-2.png", "new folder/2-4.png", "table.csv"};
        QList<QByteArray> contents;
        for (const QString& file : files) {
            contents << content_of(path(file));
            QVERIFY2(QFile::remove(path(file)), qPrintable(file));
        }
        QCOMPARE(heddle(run).status, 0);
        for (int i = 0; i < files.size(); ++i) QVERIFY2(content_of(path(files[i])) == contents[i], qPrintable(files[i]));
    }

    void says_what_is_wrong() {
        const Outcome refused = heddle({"sweep", "quick.heddle", "--vary", "blur.sigma=1", "--engine", "slurm", "--slurm", "--partition=nowhere", "--json"});
        QCOMPARE(refused.status, 1);
        QVERIFY2(refused.err.contains("invalid partition"), refused.err);
        QCOMPARE(heddle({"sweep", "quick.heddle", "--vary", "blur.sigma=1", "--engine", "slurm", "--slurm", "--array=3"}).status, 2);
        QCOMPARE(heddle({"sweep", "quick.heddle", "--vary", "blur.sigma=1", "--retries", "3"}).status, 2);
        const QByteArray path = qgetenv("PATH");
        qputenv("PATH", "/nowhere");
        const Outcome missing = heddle({"sweep", "quick.heddle", "--vary", "blur.sigma=1", "--engine", "slurm"});
        qputenv("PATH", path);
        QCOMPARE(missing.status, 4);
        QVERIFY2(missing.err.contains("sbatch"), missing.err);
    }
};

}  // namespace tests

using tests::SlurmSweepTest;
HEDDLE_TEST(sweep, SlurmSweepTest)
#include "sweep.moc"
