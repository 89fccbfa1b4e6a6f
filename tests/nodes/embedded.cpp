// Pictures that hold their graph: what `heddle` makes of one in the place of a document.
#include <QImage>
#include <QProcess>
#include <QTemporaryDir>

#include "nodes/core/document.h"
#include "tests/support/test.h"

namespace tests {
namespace {

using namespace nodes;

struct Ended {
    int code = -1;
    QByteArray out, err;
};

Ended heddle(const QTemporaryDir& folder, const QStringList& arguments) {
    QProcess process;
    process.setWorkingDirectory(folder.path());
    process.start(HEDDLE_BINARY, arguments);
    process.waitForFinished(120000);
    return {process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError()};
}

}  // namespace

class EmbeddedTest : public QObject {
    Q_OBJECT
private slots:
    void a_picture_runs_as_its_graph_data() {
        QTest::addColumn<QString>("ending");
        for (const char* ending : {"png", "jpg", "tiff", "exr"}) QTest::newRow(ending) << ending;
    }
    void a_picture_runs_as_its_graph() {
        QFETCH(QString, ending);
        const QTemporaryDir folder;
        const QString first = folder.filePath("first." + ending);
        Document()
            .add_node("image.checker", "board").set_param("board", "width", 40).set_param("board", "height", 24).set_param("board", "cell", 8)
            .add_node("image.save", "save").set_param("save", "file", "board.png")
            .connect({"board", "image"}, {"save", "image"})
            .save(folder.filePath("board.heddle").toStdString());
        QCOMPARE(heddle(folder, {"run", "board.heddle", "-o", first}).code, 0);
        QFile::remove(folder.filePath("board.heddle"));
        const Ended again = heddle(folder, {"run", first, "-o", "again.png", "--set", "board.cell=8"});
        QVERIFY2(again.code == 0, again.err.constData());
        QCOMPARE(QImage(folder.filePath("again.png")).size(), QSize(40, 24));
        QCOMPARE(heddle(folder, {"validate", first}).code, 0);
        QVERIFY(heddle(folder, {"describe", first}).out.contains("board.cell"));
    }

    void a_picture_without_a_graph_says_so() {
        const QTemporaryDir folder;
        QVERIFY(QImage(8, 8, QImage::Format_RGB888).save(folder.filePath("plain.png")));
        const Ended ended = heddle(folder, {"run", "plain.png"});
        QCOMPARE(ended.code, 4);
        QVERIFY2(ended.err.contains("expected a picture that holds its graph"), ended.err.constData());
    }
};

}  // namespace tests

using tests::EmbeddedTest;
HEDDLE_TEST(embedded, EmbeddedTest)
#include "embedded.moc"
