// What the editor computes is what the headless runner computes: graphs built and run by simulated events, their
// pictures compared with those of `heddle run`, byte for byte.
#include <QFile>
#include <QImage>
#include <QProcess>

#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

const QString graphs = QStringLiteral(HEDDLE_SOURCE_DIR "/resources/graphs/");

// The picture that the headless run leaves at `path`; a null image with the program's words on stderr where it fails.
QImage headless(const QString& graph, const QStringList& options, const QString& path) {
    QProcess process;
    process.start(QStringLiteral(HEDDLE_BINARY), QStringList{"run", graph, "-o", path, "--progress", "none"} + options);
    if (!process.waitForFinished(300000) || process.exitCode() != 0) {
        qWarning("heddle run: %s", process.readAllStandardError().constData());
        return {};
    }
    return QImage(path);
}

bool same_bytes(const QImage& a, const QImage& b) {
    if (a.isNull() || a.size() != b.size() || a.format() != b.format()) return false;
    const auto bytes = static_cast<std::size_t>(a.width()) * static_cast<std::size_t>(a.depth() / 8);
    for (int y = 0; y < a.height(); ++y)
        if (std::memcmp(a.constScanLine(y), b.constScanLine(y), bytes) != 0) return false;
    return true;
}

}  // namespace

class SamePictureTest : public QObject {
    Q_OBJECT

private slots:
    void autoencode_built_by_events() {
        const QString shared = QString::fromStdString(tests::shared_dir());
        const QString weights = shared + "/real/tae/", photograph = shared + "/real/images/vermeer.jpg";
        if (shared.isEmpty() || !QFile::exists(weights + "taef1_encoder.safetensors") || !QFile::exists(photograph))
            QSKIP("shared/real is not here: no trained autoencoder to build the graph with");
        const QTemporaryDir folder;
        tests::Editor e;
        e.window.resize(1600, 1000);
        QCoreApplication::processEvents();
        e.view.zoom_by(0.6, {0, 0});

        // What the shipped graph holds: node, search text, place on the canvas.
        const struct {
            const char *id, *query;
            QPoint at;
        } wanted[] = {{"load", "load image", {30, 120}},       {"fit", "resize", {210, 120}},
                      {"vae", "tiny auto", {210, 320}},        {"encode", "encode", {420, 120}},
                      {"decode", "decode", {600, 120}},        {"save", "save image", {780, 120}},
                      {"difference", "difference", {780, 320}}};
        for (const auto& node : wanted) {
            const NodeId made = e.add_at(node.at, node.query);
            QVERIFY2(!made.empty(), node.query);
            if (made != node.id) e.rename(made, node.id);
            QVERIFY2(e.model.contains(node.id), node.id);
        }
        e.connect_by_mouse("load", "image", "fit", "image");
        e.connect_by_mouse("fit", "image", "encode", "image");
        e.connect_by_mouse("vae", "vae", "encode", "vae");
        e.connect_by_mouse("encode", "latent", "decode", "latent");
        e.connect_by_mouse("vae", "vae", "decode", "vae");
        e.connect_by_mouse("decode", "image", "save", "image");
        e.connect_by_mouse("fit", "image", "difference", "a");
        e.connect_by_mouse("decode", "image", "difference", "b");
        e.choose_param("fit", "fit", "cover");
        e.type_param("fit", "width", "256");
        e.type_param("fit", "height", "256");
        e.type_param("save", "file", "autoencode.png");
        const nodes::Document shipped = nodes::Document::load((graphs + "autoencode.heddle").toStdString());
        QCOMPARE(e.model.document().node_ids(), shipped.node_ids());
        for (const std::string& id : shipped.node_ids())
            QCOMPARE(e.model.document().node(id).params, shipped.node(id).params);
        QVERIFY(e.model.document().links() == shipped.links());

        e.type_param("load", "file", photograph);
        e.type_param("vae", "encoder", weights + "taef1_encoder.safetensors");
        e.type_param("vae", "decoder", weights + "taef1_decoder.safetensors");
        e.window.runs().set_output_folder(folder.path());
        QTest::keyClick(&e.view, Qt::Key_F5);
        QVERIFY(QTest::qWaitFor([&] { return !e.window.runs().running(); }, 300000));
        QCOMPARE(e.window.runs().status("save").state, nodes::NodeState::Done);
        double psnr = 0;
        auto* metrics = e.window.log().metrics();
        for (int i = 0; i < metrics->topLevelItemCount(); ++i)
            if (metrics->topLevelItem(i)->text(1).compare("psnr", Qt::CaseInsensitive) == 0)
                psnr = metrics->topLevelItem(i)->text(2).section(' ', 0, 0).toDouble();
        QVERIFY2(psnr > 25, qPrintable(QString::number(psnr)));

        const QImage expected = headless(
            graphs + "autoencode.heddle",
            {"--set", "load.file=" + photograph, "--set", "vae.encoder=" + weights + "taef1_encoder.safetensors",
             "--set", "vae.decoder=" + weights + "taef1_decoder.safetensors"},
            folder.filePath("headless.png"));
        QVERIFY(same_bytes(QImage(folder.filePath("autoencode.png")), expected));
        QCOMPARE(expected.size(), QSize(256, 256));
    }

    void picture_opened_and_changed_by_events() {
        const QTemporaryDir folder;
        tests::Editor e;
        QVERIFY(e.window.open_file(graphs + "picture.heddle"));
        e.type_param("haze", "sigma", "4");
        e.type_param("grain", "seed", "5");
        e.window.runs().set_output_folder(folder.path());
        QTest::keyClick(&e.view, Qt::Key_F5);
        QVERIFY(QTest::qWaitFor([&] { return !e.window.runs().running(); }, 300000));
        QCOMPARE(e.window.runs().status("save").state, nodes::NodeState::Done);
        const QImage made(folder.filePath("picture.png"));
        const QImage expected = headless(graphs + "picture.heddle", {"--set", "haze.sigma=4", "--set", "grain.seed=5"},
                                         folder.filePath("headless.png"));
        QVERIFY(same_bytes(made, expected));
        const QImage plain = headless(graphs + "picture.heddle", {}, folder.filePath("plain.png"));
        QVERIFY2(!same_bytes(made, plain), "the comparison sees a change of parameters");
        // And the panel shows what was saved.
        PictureView* picture = e.window.viewer().picture();
        QVERIFY(QTest::qWaitFor([&] { return picture->picture().size() == expected.size(); }, 60000));
    }
};

HEDDLE_TEST(same_picture, SamePictureTest)
#include "same_picture.moc"
