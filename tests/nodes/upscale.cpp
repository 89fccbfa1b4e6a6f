// Upscalers: every published layout against what PyTorch computed (tests/golden/upscale/make_upscale.py), with host kernels and
// without; tiles against the whole; files that are something else.
#include "nodes/models/upscale/load.h"

#include <cmath>

#include "gpu/base/switches.h"
#include "gpu/run/evaluate.h"
#include "nodes/interchange/loader.h"
#include "nodes/models/detect/detect.h"
#include "nodes/models/tiles/tiles.h"
#include "nodes/types/image.h"
#include "tests/support/compare.h"
#include "tests/support/golden.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::largest_difference;

namespace {

const tests::Golden golden("upscale");

}  // namespace

class UpscaleTest : public QObject {
    Q_OBJECT
private slots:
    void agrees_with_pytorch_data() {
        QTest::addColumn<QString>("file");
        QTest::addColumn<int>("scale");
        QTest::addColumn<bool>("host");
        for (const bool host : {true, false})
            for (const auto& [file, scale] : {std::pair("real.safetensors", 2), {"paper.safetensors", 4}, {"numbered.safetensors", 2}, {"clean.safetensors", 1},
                                              {"compact.safetensors", 4}, {"averaged.pth", 4}})
                QTest::newRow(qPrintable(QString("%1,%2").arg(file, host ? "host" : "shaders"))) << file << scale << host;
    }
    void agrees_with_pytorch() {
        QFETCH(QString, file);
        QFETCH(int, scale);
        QFETCH(bool, host);
        const gpu::ScopedSwitch switched(&gpu::Switches::host, host);
        const Upscaler upscaler = load_upscaler(golden.file(file.toStdString()));
        QCOMPARE(upscaler->scale(), scale);
        const std::string name = file == "averaged.pth" ? "compact" : file.section('.', 0, 0).toStdString();
        const double off = largest_difference((*upscaler.network)(golden.expected("image")), golden.expected(name));
        QVERIFY2(off < 2e-6, qPrintable(QString::number(off)));
        QCOMPARE(recognise(gpu::open_checkpoint(golden.file(file.toStdString()))).kind, FileKind::Upscaler);
        QCOMPARE(loader_for(golden.file(file.toStdString())).type, std::string("upscale.load"));
    }

    // A tile that reaches past what the network sees has the whole's values; so has a picture of several of them, where they are faded.
    void tiles_are_the_whole() {
        const Upscaler upscaler = load_upscaler(golden.file("compact.safetensors"));
        const gpu::Tensor picture = gpu::resize(golden.expected("image"), 40, 52, gpu::Filter::Bicubic);
        const auto work = [&](const gpu::Tensor& part) { return gpu::Tensors{(*upscaler.network)(part)}; };
        int done = 0;
        const gpu::Tensor tiled = in_tiles(picture, {1, 4}, {.tiles = Tiles::On, .side = 96, .overlap = 64, .progress = [&](auto now, auto) { done = int(now); }}, "upscale", work)[0];
        QVERIFY(done > 4);
        const gpu::Tensor whole = (*upscaler.network)(picture);
        QCOMPARE(tiled.shape(), whole.shape());
        // Five convolutions see five pixels further: with fades of 16 those at a tile's border count for at most a third.
        const std::vector<float> a = gpu::to_floats(tiled), b = gpu::to_floats(whole);
        double squares = 0;
        for (std::size_t i = 0; i < a.size(); ++i) squares += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
        const double rms = std::sqrt(squares / double(a.size()));
        QVERIFY2(rms < 0.01, qPrintable(QString::number(rms)));
    }

    void the_node_keeps_alpha_and_widens_gray() {
        const auto run = [](const gpu::Tensor& picture) {
            return tests::run_node("image.upscale", {}, {{"image", Value::of(make_image(picture))}, {"upscaler", Value::of(load_upscaler(golden.file("numbered.safetensors")))}})
                .get<Image>("image").tensor;
        };
        QCOMPARE(run(gpu::full({2, 1, 5, 6}, 0.5)).shape(), (gpu::Shape{2, 3, 10, 12}));
        const gpu::Tensor made = run(gpu::concat({golden.expected("image"), gpu::full({1, 1, 7, 9}, 0.25)}, 1));
        QCOMPARE(made.shape(), (gpu::Shape{1, 4, 14, 18}));
        for (const float alpha : gpu::to_floats(gpu::slice(made, 1, 3, 4))) QVERIFY(std::abs(alpha - 0.25) < 1e-6);
        QVERIFY(largest_difference(gpu::slice(made, 1, 0, 3), gpu::clamp(golden.expected("numbered"), 0, 1)) < 2e-6);
    }

    void other_files_are_refused_by_name() {
        try {
            load_upscaler(HEDDLE_SOURCE_DIR "/tests/golden/taesd/plain.safetensors");
            QFAIL("was read");
        } catch (const gpu::Error& error) {
            QCOMPARE(error.code(), gpu::ErrorCode::BadFile);
            QVERIFY2(error.message().find("expected an upscaler, got a tiny autoencoder") != std::string::npos, error.message().c_str());
        }
    }
};

HEDDLE_TEST(upscale, UpscaleTest)
#include "upscale.moc"
