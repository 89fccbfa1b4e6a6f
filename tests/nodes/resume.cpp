// A run that is killed leaves the results of finished nodes behind: the next one goes on from there, to the same bytes. One that is stopped
// while it trains leaves a checkpoint, and says so by its exit status.
#include <signal.h>
#include <sys/resource.h>

#include <QCryptographicHash>
#include <QImage>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QRandomGenerator>
#include <QTemporaryDir>

#include "gpu/io/checkpoint.h"
#include "nodes/core/document.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

// Noise that is blurred twenty times, and saved.
Document chain() {
    Document document = Document().add_node("image.noise", "n0").set_param("n0", "width", 384).set_param("n0", "height", 384);
    std::string before = "n0";
    for (int i = 1; i <= 20; ++i) {
        const std::string id = "n" + std::to_string(i);
        document = document.add_node("image.blur", id).set_param(id, "sigma", 20 + i).connect({before, "image"}, {id, "image"});
        before = id;
    }
    return document.add_node("image.save", "save").set_param("save", "file", "out.png").connect({before, "image"}, {"save", "image"});
}

struct Ended {
    bool killed = false;
    int computed = 0, cached = 0;
    QByteArray hash;
};

// Runs `heddle` on the graph; kills it after `ms` unless that is negative.
Ended run_heddle(const QTemporaryDir& folder, const QString& cache, int ms) {
    QProcess process;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("HEDDLE_CACHE_BUDGET", "1G");
    process.setProcessEnvironment(environment);
    process.setWorkingDirectory(folder.path());
    process.start(HEDDLE_BINARY, {"run", folder.filePath("chain.heddle"), "--json", "--cache", cache});
    Ended ended;
    if (ms >= 0 && !process.waitForFinished(ms)) {
        process.kill();
        ended.killed = true;
    }
    process.waitForFinished(120000);
    for (const QByteArray& line : process.readAllStandardOutput().split('\n')) {
        const QJsonObject event = QJsonDocument::fromJson(line).object();
        if (event["event"] != QLatin1String("end")) continue;
        ended.computed = event["computed"].toInt();
        ended.cached = event["cached"].toInt();
    }
    QFile file(folder.filePath("out.png"));
    if (file.open(QIODevice::ReadOnly)) ended.hash = QCryptographicHash::hash(file.readAll(), QCryptographicHash::Sha256);
    return ended;
}

// A tiny autoencoder that trains longer than anybody waits, on four pictures in `folder`.
Document training(const QTemporaryDir& folder) {
    for (int i = 0; i < 4; ++i) {
        QImage picture(16, 16, QImage::Format_RGB32);
        picture.fill(QColor::fromHsv(90 * i, 200, 200));
        picture.save(folder.filePath(QString("%1.png").arg(i)));
    }
    return Document()
        .add_node("dataset.folder", "pictures")
        .set_param("pictures", "folder", folder.path())
        .add_node("dataset.frame", "frame")
        .set_param("frame", "width", 16)
        .set_param("frame", "height", 16)
        .add_node("train.autoencoder", "network")
        .set_param("network", "widths", "8")
        .set_param("network", "channels", 2)
        .add_node("train.run", "train")
        .set_param("train", "steps", 10000000)
        .set_param("train", "batch", 2)
        .add_node("vae.save", "save")
        .set_param("save", "file", "vae.safetensors")
        .connect({"pictures", "dataset"}, {"frame", "dataset"})
        .connect({"frame", "dataset"}, {"network", "dataset"})
        .connect({"network", "objective"}, {"train", "objective"})
        .connect({"train", "trained"}, {"save", "vae"});
}

// Starts a training and stops it at its first step.
void stop(QProcess& process, const QTemporaryDir& folder, const QString& checkpoint, QByteArray& seen) {
    process.setWorkingDirectory(folder.path());
    process.start(HEDDLE_BINARY, {"run", folder.filePath("train.heddle"), "--progress", "json", "--no-cache", "--set", "train.checkpoint=" + checkpoint});
    while (!seen.contains("\"progress\"") && process.waitForReadyRead(60000)) seen += process.readAllStandardOutput();
    ::kill(static_cast<pid_t>(process.processId()), SIGINT);
}

QByteArray bytes_of(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

// The exit status of a training that is stopped, and that of its end event.
std::pair<int, int> stopped(const QTemporaryDir& folder, const QString& checkpoint) {
    QProcess process;
    QByteArray seen;
    stop(process, folder, checkpoint, seen);
    process.waitForFinished(60000);
    seen += process.readAllStandardOutput();
    for (const QByteArray& line : seen.split('\n'))
        if (const QJsonObject event = QJsonDocument::fromJson(line).object(); event["event"] == QLatin1String("end")) return {process.exitCode(), event["exit_code"].toInt()};
    return {process.exitCode(), -1};
}

}  // namespace

class ResumeTest : public QObject {
    Q_OBJECT
private slots:
    void a_killed_run_goes_on() {
        const QTemporaryDir folder;
        chain().save(folder.filePath("chain.heddle").toStdString());
        QElapsedTimer clock;
        clock.start();
        const Ended whole = run_heddle(folder, folder.filePath("whole"), -1);
        const int length = static_cast<int>(clock.elapsed());
        QCOMPARE(whole.computed, 22);
        QVERIFY(!whole.hash.isEmpty());
        QFile::remove(folder.filePath("out.png"));

        QRandomGenerator random(7);
        int kills = 0;
        Ended last;
        for (int round = 0; round < 12 && (round == 0 || last.killed); ++round) {
            last = run_heddle(folder, folder.filePath("cut"), random.bounded(length / 3, length));
            kills += last.killed;
        }
        if (last.killed) last = run_heddle(folder, folder.filePath("cut"), -1);
        QCOMPARE(last.hash, whole.hash);
        if (kills > 0) QVERIFY2(last.computed < whole.computed, qPrintable(QString::number(last.computed)));
        qInfo("%d kills; the last run computed %d of 22 nodes", kills, last.computed);
    }

    void a_stopped_training_says_whether_it_can_go_on() {
        const QTemporaryDir folder;
        training(folder).save(folder.filePath("train.heddle").toStdString());
        QCOMPARE(stopped(folder, ""), std::pair(130, 130));
        QCOMPARE(stopped(folder, "state.safetensors"), std::pair(75, 75));
        QVERIFY(QFile::exists(folder.filePath("state.safetensors")));
        QCOMPARE(stopped(folder, "state.safetensors"), std::pair(75, 75));      // gone on with, and stopped again
    }

    // A limit on the size of files stands in for the disk.
    void a_state_that_can_not_be_written_is_an_error_of_the_process() {
        const QTemporaryDir folder;
        training(folder).save(folder.filePath("train.heddle").toStdString());
        QCOMPARE(stopped(folder, "state.safetensors"), std::pair(75, 75));
        const QByteArray before = bytes_of(folder.filePath("state.safetensors"));
        QVERIFY(before.size() > 20000);

        QProcess process;
        process.setChildProcessModifier([] {
            ::signal(SIGXFSZ, SIG_IGN);
            const rlimit small{16384, 16384};
            ::setrlimit(RLIMIT_FSIZE, &small);
        });
        QByteArray seen;
        stop(process, folder, "state.safetensors", seen);
        QVERIFY(process.waitForFinished(60000));
        seen += process.readAllStandardOutput();
        QCOMPARE(process.exitCode(), 9);
        const QJsonObject last = QJsonDocument::fromJson(seen.trimmed().split('\n').last()).object();
        QCOMPARE(last["event"].toString(), QString("error"));
        QCOMPARE(last["exit_code"].toInt(), 9);
        QVERIFY2(process.readAllStandardError().contains("state.safetensors: write"), qPrintable(last["message"].toString()));
        QVERIFY(bytes_of(folder.filePath("state.safetensors")) == before);
    }

    // The second signal comes as soon as the run's end is told: it ends the process while the state is being written, or behind that. The file is whole.
    void a_second_signal_leaves_a_whole_state() {
        const QTemporaryDir folder;
        training(folder).save(folder.filePath("train.heddle").toStdString());
        for (int round = 0; round < 3; ++round) {
            QProcess process;
            QByteArray seen;
            stop(process, folder, "state.safetensors", seen);
            while (!seen.contains("\"end\"") && process.waitForReadyRead(60000)) seen += process.readAllStandardOutput();
            ::kill(static_cast<pid_t>(process.processId()), SIGINT);
            QVERIFY(process.waitForFinished(60000));
            QVERIFY(process.exitStatus() == QProcess::CrashExit ? process.exitCode() == SIGINT : process.exitCode() == 75 || process.exitCode() == 130);
            if (QFile::exists(folder.filePath("state.safetensors"))) gpu::open_checkpoint(folder.filePath("state.safetensors").toStdString());      // throws where it is none
        }
        QCOMPARE(stopped(folder, "state.safetensors"), std::pair(75, 75));
    }
};

}  // namespace tests

using tests::ResumeTest;
HEDDLE_TEST(resume, ResumeTest)
#include "resume.moc"
