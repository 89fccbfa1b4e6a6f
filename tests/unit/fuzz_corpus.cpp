// What fuzzing found, replayed: any bytes keep the promises of tests/fuzz/targets.h.
#include <QDir>
#include <QElapsedTimer>
#include <QFile>

#include "tests/fuzz/targets.h"
#include "tests/support/test.h"

namespace tests {
namespace {

QByteArray content(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QString corpus(const QString& target) { return QString(HEDDLE_SOURCE_DIR) + "/tests/fuzz/corpus/" + target; }

QString broken(const QString& target, const QByteArray& text) {
    const std::span bytes = std::as_bytes(std::span(text.constData(), static_cast<std::size_t>(text.size())));
    return QString::fromStdString(target == "document" ? broken_by_document(bytes) : target == "workflow" ? broken_by_workflow(bytes) : broken_by_header(bytes));
}

}  // namespace

class FuzzCorpusTest : public QObject {
    Q_OBJECT
private slots:
    void stored_inputs_data() {
        QTest::addColumn<QString>("target");
        QTest::addColumn<QString>("path");
        for (const QString& target : {QString("document"), QString("workflow"), QString("header")})
            for (const QString& name : QDir(corpus(target)).entryList(QDir::Files))
                QTest::addRow("%s/%s", qPrintable(target), qPrintable(name)) << target << corpus(target) + "/" + name;
    }
    void stored_inputs() {
        QFETCH(QString, target);
        QFETCH(QString, path);
        const QByteArray bytes = content(path);
        QVERIFY(!bytes.isEmpty());
        QElapsedTimer timer;
        timer.start();
        QCOMPARE(broken(target, bytes), QString());
        QVERIFY2(timer.elapsed() < 20000, "a small file must not take that long");
    }

    // Every document of the corpus, cut and with single bytes changed: a fuzzer in small that every run of the tests does.
    void damaged_inputs_data() { stored_inputs_data(); }
    void damaged_inputs() {
        QFETCH(QString, target);
        QFETCH(QString, path);
        const QByteArray whole = content(path);
        std::uint32_t state = 1;
        const auto random = [&](qsizetype below) { return static_cast<qsizetype>((state = state * 1664525 + 1013904223) >> 8) % below; };
        for (int round = 0; round < 20; ++round) {
            QByteArray damaged = whole.left(1 + random(whole.size()));
            for (int change = random(4); change > 0; --change) damaged[random(damaged.size())] = static_cast<char>(random(256));
            QCOMPARE(broken(target, damaged), QString());
        }
    }

    void example_graphs() {
        int seen = 0;
        const QString folder = QString(HEDDLE_SOURCE_DIR) + "/resources/graphs";
        for (const QString& part : {QString(), QString("/pico"), QString("/train")})
            for (const QString& name : QDir(folder + part).entryList({"*.heddle"}, QDir::Files)) {
                QCOMPARE(broken("document", content(folder + part + "/" + name)), QString());
                ++seen;
            }
        QVERIFY(seen > 30);
    }
};

HEDDLE_TEST(fuzz_corpus, FuzzCorpusTest)

}  // namespace tests

#include "fuzz_corpus.moc"
