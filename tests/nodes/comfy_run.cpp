// A ComfyUI workflow, run with the built-in model: the same pixels as the native graph with the same numbers.
#include <QFile>
#include <QImage>
#include <QProcess>
#include <QTemporaryDir>

#include "tests/support/test.h"

namespace {

// As the editor saves it: positions, slots, a control behind the seed, the negative prompt through a reroute.
const QByteArray workflow = R"({"last_node_id": 10, "last_link_id": 10, "version": 0.4, "nodes": [
    {"id": 4, "type": "CheckpointLoaderSimple", "pos": [0, 0], "outputs": [{"name": "MODEL", "type": "MODEL"}, {"name": "CLIP", "type": "CLIP"}, {"name": "VAE", "type": "VAE"}],
     "widgets_values": ["pico.safetensors"]},
    {"id": 5, "type": "EmptyLatentImage", "pos": {"0": 0, "1": 200}, "outputs": [{"name": "LATENT", "type": "LATENT"}], "widgets_values": [64, 64, 1]},
    {"id": 6, "type": "CLIPTextEncode", "pos": [300, 0], "inputs": [{"name": "clip", "type": "CLIP", "link": 1}], "outputs": [{"name": "CONDITIONING", "type": "CONDITIONING"}],
     "widgets_values": ["red heart"]},
    {"id": 7, "type": "CLIPTextEncode", "pos": [300, 200], "inputs": [{"name": "clip", "type": "CLIP", "link": 2}], "outputs": [{"name": "CONDITIONING", "type": "CONDITIONING"}],
     "widgets_values": ["blue"]},
    {"id": 10, "type": "Reroute", "pos": [500, 200], "inputs": [{"name": "", "type": "*", "link": 9}], "outputs": [{"name": "CONDITIONING", "type": "CONDITIONING"}]},
    {"id": 3, "type": "KSampler", "pos": [600, 0], "inputs": [{"name": "model", "type": "MODEL", "link": 3}, {"name": "positive", "type": "CONDITIONING", "link": 4},
     {"name": "negative", "type": "CONDITIONING", "link": 5}, {"name": "latent_image", "type": "LATENT", "link": 6}], "outputs": [{"name": "LATENT", "type": "LATENT"}],
     "widgets_values": [1125899906842624, "randomize", 8, 4, "euler", "normal", 1]},
    {"id": 8, "type": "VAEDecode", "pos": [900, 0], "inputs": [{"name": "samples", "type": "LATENT", "link": 7}, {"name": "vae", "type": "VAE", "link": 8}],
     "outputs": [{"name": "IMAGE", "type": "IMAGE"}]},
    {"id": 9, "type": "SaveImage", "pos": [1200, 0], "inputs": [{"name": "images", "type": "IMAGE", "link": 10}], "widgets_values": ["ComfyUI"]}],
    "links": [[1, 4, 1, 6, 0, "CLIP"], [2, 4, 1, 7, 0, "CLIP"], [3, 4, 0, 3, 0, "MODEL"], [4, 6, 0, 3, 1, "CONDITIONING"], [9, 7, 0, 10, 0, "*"],
              [5, 10, 0, 3, 2, "CONDITIONING"], [6, 5, 0, 3, 3, "LATENT"], [7, 3, 0, 8, 0, "LATENT"], [8, 4, 2, 8, 1, "VAE"], [10, 8, 0, 9, 0, "IMAGE"]]})";

QImage drawn(const QString& graph, const QStringList& options) {
    const QTemporaryDir folder;
    const QString file = folder.filePath("out.png");
    QProcess process;
    process.setWorkingDirectory(folder.path());
    process.start(HEDDLE_BINARY, QStringList{"run", graph, "--no-cache", "-o", file} + options);
    process.waitForFinished(300000);
    const QImage image(file);
    if (process.exitCode() != 0 || image.isNull()) qWarning("%s", process.readAllStandardError().constData());
    return image.convertToFormat(QImage::Format_RGB888);
}

}  // namespace

class ComfyRunTest : public QObject {
    Q_OBJECT
private slots:
    void draws_what_the_native_graph_draws() {
        const QTemporaryDir folder;
        const QString path = folder.filePath("workflow.json");
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(workflow);
        file.close();
        const QImage theirs = drawn(path, {"--set", "model-4.file=heddle:models/pico"});
        const QImage ours =
            drawn(HEDDLE_SOURCE_DIR "/resources/graphs/text-to-image.heddle",
                  {"--set", "prompt.text=red heart", "--set", "negative.text=blue", "--set",
                   "sample.seed=1125899906842624", "--set", "sample.steps=8", "--set", "sample.guidance=4", "--set",
                   "sample.sampler=euler", "--set", "sample.schedule=linspace", "--set", "sample.levels=k-diffusion", "--set",
                   "sample.noise=torch-cpu"});
        QCOMPARE(theirs.size(), QSize(64, 64));
        QVERIFY(theirs == ours);
    }
};

HEDDLE_TEST(comfy_run, ComfyRunTest)
#include "comfy_run.moc"
