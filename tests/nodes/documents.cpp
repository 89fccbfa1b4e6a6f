// Saved documents load for ever. documents/NAME.heddle either comes back byte for byte, or, where
// documents/NAME.expected stands beside it (hand-written, or of an older version), as that.
#include <QDir>
#include <QDirIterator>
#include <QFile>

#include "nodes/core/executor.h"
#include "nodes/core/validate.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

QByteArray read(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void add_rows(const QString& folder) {
    QTest::addColumn<QString>("path");
    QStringList paths;
    for (QDirIterator files(folder, {"*.heddle"}, QDir::Files, QDirIterator::Subdirectories); files.hasNext();) paths << files.next();
    paths.sort();
    for (const QString& path : paths) QTest::newRow(qPrintable(QDir(folder).relativeFilePath(path))) << path;
}

const QString documents = QStringLiteral(HEDDLE_SOURCE_DIR "/tests/golden/documents");
const QString graphs = QStringLiteral(HEDDLE_SOURCE_DIR "/resources/graphs");

}  // namespace

class DocumentsTest : public QObject {
    Q_OBJECT
private slots:
    void loads_and_comes_back_data() { add_rows(documents); }
    void loads_and_comes_back() {
        QFETCH(QString, path);
        const Document document = Document::load(path.toStdString());
        const QString expected = path.chopped(7) + ".expected";
        QCOMPARE(document.to_json(), read(QFile::exists(expected) ? expected : path));
        QVERIFY(Document::from_json(document.to_json()) == document);
    }

    void first_document_still_computes() {
        const RunResult result = run(Document::load((documents + "/first.heddle").toStdString()));
        QCOMPARE(result.status, RunStatus::Done);
        QCOMPARE(result.metrics.size(), 1u);
        QCOMPARE(result.metrics[0].name, std::string("product"));
        QCOMPARE(result.metrics[0].value, 7.5);
        QCOMPARE(result.metrics[0].unit, std::string("px"));
    }

    // The graphs that come with the program: canonical, and sound but for files that the user names.
    void own_graphs_are_sound_data() { add_rows(graphs); }
    void own_graphs_are_sound() {
        if (QDir(graphs).entryList({"*.heddle"}, QDir::Files).isEmpty())
            QSKIP("there are no graphs in resources/graphs");
        QFETCH(QString, path);
        const Document document = Document::load(path.toStdString());
        QCOMPARE(document.to_json(), read(path));
        for (const Problem& problem : validate(document))
            QVERIFY2(problem.kind == ProblemKind::MissingValue, problem.text().c_str());
    }
};

}  // namespace tests

using tests::DocumentsTest;
HEDDLE_TEST(documents, DocumentsTest)
#include "documents.moc"
