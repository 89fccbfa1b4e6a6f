// What a desktop brings to the window: files of the program's type, and files of any other kind.
#include <QDirIterator>
#include <QMimeDatabase>
#include <QScopeGuard>
#include <sys/stat.h>

#include "tests/app/editor_fixture.h"

class DesktopTest : public QObject {
    Q_OBJECT

    static QString write(const QTemporaryDir& folder, const char* name, const QByteArray& content) {
        QFile file(folder.filePath(QString::fromUtf8(name)));
        if (!file.open(QIODevice::WriteOnly)) return {};
        file.write(content);
        return file.fileName();
    }

private slots:
    void graphs_are_known_by_their_name_and_by_their_first_bytes() {
        const QTemporaryDir folder;
        QVERIFY(QDir(folder.path()).mkpath("mime/packages"));
        const QString packaging = QStringLiteral(HEDDLE_SOURCE_DIR "/packaging/desktop/heddle.xml");
        QVERIFY(QFile::copy(packaging, folder.filePath("mime/packages/heddle.xml")));
        const QByteArray before = qgetenv("XDG_DATA_DIRS");
        qputenv("XDG_DATA_DIRS", folder.path().toUtf8());
        const auto restore = qScopeGuard([&] { qputenv("XDG_DATA_DIRS", before); });
        const QMimeDatabase types;
        if (!types.mimeTypeForName("application/x-heddle-graph").isValid()) QSKIP("the types were read before this test");
        QCOMPARE(types.mimeTypeForFile("x.heddle", QMimeDatabase::MatchExtension).name(), QString("application/x-heddle-graph"));
        int seen = 0;
        for (QDirIterator it(HEDDLE_SOURCE_DIR "/resources/graphs", {"*.heddle"}, QDir::Files, QDirIterator::Subdirectories); it.hasNext(); ++seen) {
            QFile file(it.next());
            QVERIFY(file.open(QIODevice::ReadOnly));
            QCOMPARE(types.mimeTypeForData(file.read(64)).name(), QString("application/x-heddle-graph"));
        }
        QVERIFY(seen > 10);
        QVERIFY(types.mimeTypeForData(QByteArray(R"({"name": "heddle"})")).name() != "application/x-heddle-graph");
    }

    void dropping_any_file_never_crashes() {
        const QTemporaryDir folder;
        QByteArray noise(5000, '\0');
        for (int i = 0; i < noise.size(); ++i) noise[i] = static_cast<char>((i * 7919 + i / 3) >> 2);
        const QByteArray huge_length("\xff\xff\xff\xff\xff\xff\xff\x7f{\"a\":1}", 15);
        std::vector<QString> paths{
            write(folder, "empty", {}),
            write(folder, "noise.bin", noise),
            write(folder, "noise.png", "\x89PNG\r\n\x1a\n" + noise),
            write(folder, "noise.mp4", QByteArray("\0\0\0\x20" "ftypisom", 12) + noise),
            write(folder, "noise.gguf", "GGUF" + noise),
            write(folder, "noise.ckpt", "PK\x03\x04" + noise),
            write(folder, "noise.pt", "\x80\x02" + noise),
            write(folder, "long.safetensors", huge_length),
            write(folder, "deep.json", QByteArray(200000, '[')),
            write(folder, "deep.heddle", "{\"heddle\": 1, \"nodes\": " + QByteArray(200000, '{')),
            write(folder, "odd \n \xe2\x80\xae name.heddle", "{\"heddle\": 1, \"nodes\": {\"\": 3}}"),
            folder.path(),
            folder.filePath("is not there"),
            QStringLiteral("/dev/zero"),  // has no end
            QStringLiteral("/proc/self/mem"),
        };
        if (QFile::link(folder.filePath("loop"), folder.filePath("loop"))) paths.push_back(folder.filePath("loop"));
        const QString pipe = folder.filePath("pipe.heddle");  // whoever opens it waits for a writer
        if (mkfifo(pipe.toUtf8().constData(), 0600) == 0) paths.push_back(pipe);
        tests::Editor e;
        e.model.add_node("stub.constant", {});
        const int steps = e.model.undo_stack().index();
        for (const QString& path : paths) {
            e.window.drop_file(path, {40, 40});
            QCoreApplication::processEvents();
            e.window.open_file(path);
            QVERIFY2(e.model.contains("constant"), qPrintable(path));
        }
        while (e.model.undo_stack().index() > steps) e.model.undo_stack().undo();
        QCOMPARE(e.model.node_ids().size(), std::size_t{1});
    }
};

HEDDLE_TEST(desktop, DesktopTest)
#include "desktop.moc"
