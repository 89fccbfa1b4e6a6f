// Tiny autoencoders: both layouts, the pooled variant, against what PyTorch computed (tests/golden/taesd/make_taesd.py);
// with host kernels and without. Trained ones where the shared reference data is there.
#include "nodes/models/taesd/taesd.h"

#include <QDir>
#include <QTemporaryDir>
#include <cmath>
#include <filesystem>

#include "gpu/base/switches.h"
#include "gpu/run/evaluate.h"
#include "nodes/conform/conform.h"
#include "nodes/core/executor.h"
#include "tests/support/compare.h"
#include "tests/support/error_of.h"
#include "tests/support/golden.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::relative_error;

namespace {

const tests::Golden golden("taesd");

std::string failure_of_pair(const std::string& encoder, const std::string& decoder) {
    return tests::message_of([&] { load_taesd(encoder, decoder); });
}

}  // namespace

class TaesdTest : public QObject {
    Q_OBJECT
private slots:
    void agrees_with_pytorch_data() {
        QTest::addColumn<QString>("variant");
        QTest::addColumn<bool>("host");
        for (const bool host : {true, false})
            for (const char* variant : {"plain", "pooled"})
                QTest::newRow(qPrintable(QString("%1,%2").arg(variant, host ? "host" : "shaders"))) << variant << host;
    }
    void agrees_with_pytorch() {
        QFETCH(QString, variant);
        QFETCH(bool, host);
        const gpu::ScopedSwitch switched(&gpu::Switches::host, host);
        const bool plain = variant == "plain";
        const Vae vae = plain ? load_taesd(golden.file("plain.safetensors"), "")
                              : load_taesd(golden.file("pooled_encoder.safetensors"), golden.file("pooled_decoder.safetensors"));
        QCOMPARE(vae->format().channels, plain ? 4 : 6);
        const std::string name = variant.toStdString();
        QVERIFY(relative_error(vae->encode(golden.expected("image")), golden.expected(name + ".latent")) < 1e-5);
        QVERIFY(relative_error(vae->decode(golden.expected(name + ".latent")), golden.expected(name + ".decoded")) < 1e-5);
    }

    void one_file_or_two() {
        QVERIFY(load_taesd("", golden.file("plain.safetensors"))->can_encode());
        const Vae half = load_taesd(golden.file("pooled_encoder.safetensors"), "");
        QVERIFY(half->can_encode() && !half->can_decode());
        QVERIFY_EXCEPTION_THROWN(half->decode(golden.expected("pooled.latent")), gpu::Error);
        // Encoder of one file, decoder of another that does not fit.
        const std::string message = failure_of_pair(golden.file("plain.safetensors"), golden.file("pooled_decoder.safetensors"));
        QVERIFY2(message.find("4 latent channels") != std::string::npos, message.c_str());
    }
    void family_comes_from_name_or_channels() {
        QCOMPARE(load_taesd(golden.file("plain.safetensors"), "")->format().family, std::string("sd1"));
        QTemporaryDir folder;
        const std::string copy = folder.filePath("taesdxl.safetensors").toStdString();
        std::filesystem::copy_file(golden.file("plain.safetensors"), copy);
        QCOMPARE(load_taesd(copy, "")->format().family, std::string("sdxl"));
        QCOMPARE(load_taesd(copy, "", "sd1")->format().family, std::string("sd1"));
    }
    void refuses_what_is_none() {
        QVERIFY(failure_of_pair("", "").starts_with(gpu::to_string(gpu::ErrorCode::InvalidGraph)));
        QVERIFY(failure_of_pair("/no/such/file", "").starts_with(gpu::to_string(gpu::ErrorCode::MissingFile)));
        const std::string swapped = failure_of_pair(golden.file("pooled_decoder.safetensors"), golden.file("pooled_encoder.safetensors"));
        QVERIFY2(swapped.find("expected the encoder of a tiny autoencoder, got the decoder") != std::string::npos, swapped.c_str());
        const std::string other = failure_of_pair(golden.file("expected.safetensors"), "");
        QVERIFY2(other.find("got tensors such as image") != std::string::npos, other.c_str());
    }
    void names_missing_and_unexpected_keys() {
        const gpu::Checkpoint file = gpu::open_checkpoint(golden.file("plain.safetensors"));
        std::vector<gpu::TensorEntry> entries = file.entries();
        for (gpu::TensorEntry& entry : entries)
            if (entry.name == "decoder.layers.6.weight") entry.name = "decoder.layers.66.weight";
        QTemporaryDir folder;
        const std::string path = folder.filePath("broken.safetensors").toStdString();
        gpu::save_safetensors(path, entries);
        const std::string message = failure_of_pair(path, "");
        QVERIFY2(message.find("1 missing: decoder.7.weight") != std::string::npos, message.c_str());
        QVERIFY2(message.find("1 unexpected: decoder.67.weight") != std::string::npos, message.c_str());
    }

    void nodes_crop_pad_or_refuse() {
        const QJsonObject files{{"encoder", QString::fromStdString(golden.file("plain.safetensors"))}};
        const Value vae = tests::run_node("vae.load_tiny", files).outputs.at("vae");
        const Value picture = tests::run_node("image.checker", {{"width", 21}, {"height", 17}}).outputs.at("image");
        const auto size = [&](const char* fit) {
            const Latent latent = tests::run_node("vae.encode", {{"fit", fit}}, {{"image", picture}, {"vae", vae}}).get<Latent>("latent");
            return std::pair(latent.width(), latent.height());
        };
        QCOMPARE(size("crop"), (std::pair<std::int64_t, std::int64_t>(2, 2)));
        QCOMPARE(size("pad"), (std::pair<std::int64_t, std::int64_t>(3, 3)));
        QVERIFY(tests::failure_of("vae.encode", {{"fit", "exact"}}, {{"image", picture}, {"vae", vae}}) == gpu::ErrorCode::InvalidGraph);
    }

    // Cases that a reference implementation computed.
    void conforms_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"real-taef1", "real-taef2", "taesd-random", "noise-torch-cpu"}) QTest::newRow(name) << name;
    }
    void conforms() {
        QFETCH(QString, name);
        if (tests::shared_dir().empty()) QSKIP("shared/conformance is not there");
        const std::string folder = tests::shared_dir() + "/conformance/" + name.toStdString();
        if (!std::filesystem::exists(folder)) QSKIP(qPrintable("shared/conformance/" + name + " is not there"));
        for (const ConformRow& row : run_conform_case(load_conform_case(folder)).rows)
            QVERIFY2(row.rel_l2 < 1e-5, qPrintable(QString("%1: relative L2 %2").arg(row.output.c_str()).arg(row.rel_l2)));
    }

    // The graph that comes with the program, on a photograph.
    void round_trip_of_a_photograph_data() {
        QTest::addColumn<QString>("encoder");
        QTest::addColumn<QString>("decoder");
        QTest::addColumn<double>("psnr");
        QTest::newRow("taef1") << "taef1_encoder.safetensors" << "taef1_decoder.safetensors" << 31.07;
        QTest::newRow("taef2") << "taef2_encoder.pth" << "taef2_decoder.pth" << 32.99;
    }
    void round_trip_of_a_photograph() {
        QFETCH(QString, encoder);
        QFETCH(QString, decoder);
        QFETCH(double, psnr);
        const QString real = QString::fromStdString(tests::shared_dir()) + "/real/";
        if (tests::shared_dir().empty() || !QFile::exists(real + "tae/" + encoder)) QSKIP("shared/real/tae is not there");
        QTemporaryDir folder;
        const Document document = Document::load(HEDDLE_SOURCE_DIR "/resources/graphs/autoencode.heddle")
                                      .set_param("load", "file", real + "images/girl_256.png")
                                      .set_param("vae", "encoder", real + "tae/" + encoder)
                                      .set_param("vae", "decoder", real + "tae/" + decoder);
        const RunResult result = run(document, {.output_folder = folder.path().toStdString()});
        QVERIFY2(result.status == RunStatus::Done, result.failures.empty() ? "" : result.failures[0].text().c_str());
        QCOMPARE(result.metrics[0].name, std::string("psnr"));
        QVERIFY2(std::abs(result.metrics[0].value - psnr) <= 0.05, qPrintable(QString::number(result.metrics[0].value)));
        QVERIFY(QFile::exists(folder.filePath("autoencode.png")));
    }
};

HEDDLE_TEST(taesd, TaesdTest)
#include "taesd.moc"
